#include "plugin/core/parking.h"

#include <algorithm>
#include <utility>

namespace chat {
namespace {

std::size_t bytes_of(const ParkedRecord& record) {
  return record.topic.size() + record.payload.size();
}

}  // namespace

void Parking::reserve(Position position) {
  floor_.store(std::min(position, floor()), std::memory_order_release);
}

std::shared_ptr<Parked> Parking::add(Position position, std::shared_ptr<User> user, ParkedRecord record) {
  auto parked =
      std::make_shared<Parked>(Parked{.position = position, .user = std::move(user), .record = std::move(record)});
  bytes_ += bytes_of(parked->record);
  ++count_;
  order_.push_back(parked);
  publish_floor();
  return parked;
}

void Parking::wait_for(const std::shared_ptr<Parked>& parked, const std::string& key) {
  waiting_[key].push_back(parked);
}

void Parking::finish(Parked& parked) {
  if (std::exchange(parked.done, true)) return;
  bytes_ -= bytes_of(parked.record);
  --count_;
  publish_floor();
}

std::vector<std::shared_ptr<Parked>> Parking::take(std::string_view key) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return {};
  auto items = std::move(found->second);
  waiting_.erase(found);
  std::erase_if(items, [](const auto& parked) { return parked->done; });
  // One that waited for two loads asks for the second when the first came in: behind younger ones that asked for both
  // at once.
  std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a->position < b->position; });
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

std::vector<Position> Parking::take_stored(Position up_to) {
  std::vector<Position> stored;
  for (; !unstored_.empty() && unstored_.front().end <= up_to; unstored_.pop_front())
    stored.push_back(unstored_.front().parked);
  return stored;
}

void Parking::publish_floor() {
  while (!order_.empty() && order_.front()->done) order_.pop_front();
  floor_.store(order_.empty() ? kNothingParked : order_.front()->position, std::memory_order_release);
}

}  // namespace chat
