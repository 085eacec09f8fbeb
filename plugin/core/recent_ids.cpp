#include "plugin/core/recent_ids.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <random>

#include "plugin/journal/prefetch.h"

namespace chat {
namespace {

// This process's own: nobody can prepare ids that collide.
std::uint64_t seed() {
  static const std::uint64_t chance = [] {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }();
  return chance;
}

}  // namespace

IdHash::IdHash(std::string_view id) {
  const auto hash = XXH3_128bits_withSeed(id.data(), id.size(), seed());
  key = hash.low64;
  check = hash.high64;
}

RecentId* RecentIds::find(const IdHash& id) {
  if (ring_.empty()) return nullptr;
  // What remember() will replace has not been looked at for as long as any.
  prefetch_to_write(reinterpret_cast<const char*>(&ring_[oldest_]), sizeof(RecentId));
  const auto place = slots_[slot_of(id.key)].place;
  if (place == 0) return nullptr;
  auto& entry = ring_[place - 1];
  return entry.hash.check == id.check ? &entry : nullptr;
}

void RecentIds::remember(const RecentId& entry) {
  if (entry.server_time > latest_) {
    latest_ = entry.server_time;
    at_latest_ = 0;
  }
  at_latest_ += entry.server_time == latest_ ? 1 : 0;
  const auto key = entry.hash.key;
  if (2 * (ring_.size() + 1) > slots_.size() && ring_.size() < limit_) grow();
  if (const auto known = slots_[slot_of(key)].place; known != 0) {
    ring_[known - 1] = entry;
    return;
  }
  std::size_t place = ring_.size();
  if (place < limit_) {
    ring_.push_back(entry);
  } else {
    place = oldest_;
    oldest_ = (oldest_ + 1) % limit_;
    take_out(ring_[place].hash.key);
    ring_[place] = entry;
  }
  slots_[slot_of(key)] = {.place = static_cast<std::uint32_t>(place + 1), .tag = static_cast<std::uint32_t>(key)};
}

std::size_t RecentIds::slot_of(std::uint64_t key) const {
  const auto mask = slots_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(key);
  auto slot = key & mask;
  while (slots_[slot].place != 0 && (slots_[slot].tag != tag || ring_[slots_[slot].place - 1].hash.key != key))
    slot = (slot + 1) & mask;
  return slot;
}

// Linear probing without gravestones: what stands behind the gap moves up if the gap cuts it off from its own slot
// (Knuth, The Art of Computer Programming 3, algorithm 6.4 R).
void RecentIds::take_out(std::uint64_t key) {
  const auto mask = slots_.size() - 1;
  auto gap = slot_of(key);
  for (auto next = (gap + 1) & mask; slots_[next].place != 0; next = (next + 1) & mask) {
    const auto home = slots_[next].tag & mask;
    if (((next - home) & mask) < ((next - gap) & mask)) continue;
    slots_[gap] = slots_[next];
    gap = next;
  }
  slots_[gap] = {};
}

void RecentIds::grow() {
  constexpr std::size_t kFirst = 16;
  ring_.reserve(std::min(limit_, std::max(kFirst, 2 * ring_.size())));
  slots_.assign(std::bit_ceil(2 * ring_.capacity()), {});
  for (std::size_t place = 0; place < ring_.size(); ++place) {
    const auto key = ring_[place].hash.key;
    slots_[slot_of(key)] = {.place = static_cast<std::uint32_t>(place + 1), .tag = static_cast<std::uint32_t>(key)};
  }
}

std::uint64_t RecentIds::payload_hash(std::string_view payload) {
  return XXH3_64bits_withSeed(payload.data(), payload.size(), seed());
}

}  // namespace chat
