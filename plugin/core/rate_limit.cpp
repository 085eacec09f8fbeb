#include "plugin/core/rate_limit.h"

#include <algorithm>
#include <charconv>

namespace chat {
namespace {

constexpr std::size_t kBytes = 3;              // behind the three kinds of Spending
constexpr std::size_t kForgottenAtOnce = 200;  // in one tick: it must stay short

constexpr std::array<std::string_view, 4> kNouns{"messages", "requests", "acknowledgements and signs", "bytes"};

// The whole of `text` as a number from 1 to kRateMost; 0 where it is none.
std::int64_t count_of(std::string_view text) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = result.ec == std::errc{} && result.ptr == text.data() + text.size();
  return whole && value >= 1 && value <= kRateMost ? value : 0;
}

// Until a bucket that is empty is full, rounded up.
TimeMs milliseconds_to_fill(const Rate& rate) {
  return rate.limited() ? (rate.burst * 1000 + rate.per_second - 1) / rate.per_second : 0;
}

}  // namespace

std::optional<Rate> parse_rate(std::string_view text) {
  if (text == "off") return Rate{};
  const auto slash = text.find("/s");
  if (slash == std::string_view::npos) return std::nullopt;
  Rate rate;
  rate.per_second = count_of(text.substr(0, slash));
  auto rest = text.substr(slash + 2);
  constexpr std::string_view kBurst = " burst ";
  if (rest.empty()) {
    rate.burst = rate.per_second;
  } else if (rest.starts_with(kBurst)) {
    rate.burst = count_of(rest.substr(kBurst.size()));
  }
  if (rate.per_second == 0 || rate.burst == 0) return std::nullopt;
  return rate;
}

TimeMs TokenBucket::wait(const Rate& rate, std::int64_t cost, TimeMs now) {
  const auto full = rate.burst * 1000;
  // Not longer than it takes to fill: the product stays far below what 64 bits hold.
  const auto passed = std::clamp<TimeMs>(now - at_, 0, milliseconds_to_fill(rate));
  level_ = std::min(full, level_ + passed * rate.per_second);
  at_ = now;
  const auto wanted = std::min(cost, rate.burst) * 1000;
  return level_ >= wanted ? 0 : (wanted - level_ + rate.per_second - 1) / rate.per_second;
}

void TokenBucket::take(const Rate& rate, std::int64_t cost) {
  level_ -= std::min(cost, rate.burst) * 1000;
}

RateLimiter::Meters::Meters(const Allowance& allowance)
    : rates_{allowance.messages, allowance.requests, allowance.signs, allowance.bytes} {
  for (const auto& rate : rates_) full_after_ = std::max(full_after_, milliseconds_to_fill(rate));
}

RateLimiter::Meter& RateLimiter::Meters::find(std::string_view name, TimeMs now) {
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) {
    latest_first_.splice(latest_first_.begin(), latest_first_, known->second);
  } else {
    latest_first_.push_front({.name = std::string(name),
                              .buckets = {TokenBucket(rates_[0], now), TokenBucket(rates_[1], now),
                                          TokenBucket(rates_[2], now), TokenBucket(rates_[3], now)}});
    by_name_.emplace(latest_first_.front().name, latest_first_.begin());
  }
  auto& meter = latest_first_.front();
  meter.used_at = now;
  return meter;
}

void RateLimiter::Meters::forget_full(TimeMs now) {
  for (std::size_t i = 0; i < kForgottenAtOnce && !latest_first_.empty(); ++i) {
    const auto& oldest = latest_first_.back();
    if (now - oldest.used_at < full_after_) return;
    by_name_.erase(oldest.name);
    latest_first_.pop_back();
  }
}

RateLimiter::RateLimiter(const RateLimits& limits, const Clock& clock)
    : clock_(clock),
      users_(limits.user),
      devices_(limits.device),
      refused_({.messages = limits.refusals, .requests = {}, .signs = {}, .bytes = {}}) {}

std::optional<Refusal> RateLimiter::take(std::string_view user, std::string_view device, Spending what,
                                         std::size_t bytes) {
  if (!limited()) return std::nullopt;
  const auto now = clock_.steady();
  struct Side {
    const Rates* rates = nullptr;
    Meter* meter = nullptr;
  };
  std::array<Side, 2> sides;
  if (users_.limited()) sides[0] = {&users_.rates(), &users_.find(user, now)};
  if (devices_.limited() && !device.empty()) {
    // A client id may be another user's tomorrow, who then has an allowance of their own. No user's name holds a NUL.
    device_key_.assign(user).push_back('\0');
    device_key_.append(device);
    sides[1] = {&devices_.rates(), &devices_.find(device_key_, now)};
  }
  const std::array<std::pair<std::size_t, std::int64_t>, 2> costs{
      {{static_cast<std::size_t>(what), 1}, {kBytes, static_cast<std::int64_t>(bytes)}}};

  std::optional<Shortage> longest;
  for (std::size_t side = 0; side < sides.size(); ++side) {
    if (sides[side].meter == nullptr) continue;
    for (const auto& [kind, cost] : costs) {
      const auto& rate = (*sides[side].rates)[kind];
      if (!rate.limited()) continue;
      const auto wait = sides[side].meter->buckets[kind].wait(rate, cost, now);
      if (wait > 0 && (!longest || wait > longest->wait)) longest = {.wait = wait, .kind = kind, .device = side == 1};
    }
  }
  if (longest) {
    const auto& rate = (*sides[longest->device ? 1 : 0].rates)[longest->kind];
    return Refusal{.code = Code::kRateLimited,
                   .reason = (longest->device ? "Device " + in_quotes(device) : "User " + in_quotes(user)) +
                             " may send " + std::to_string(rate.per_second) + " " + std::string(kNouns[longest->kind]) +
                             " a second and " + std::to_string(rate.burst) + " at once: send it again in " +
                             std::to_string(longest->wait) + " ms.",
                   .id = {}};
  }
  for (const auto& side : sides) {
    if (side.meter == nullptr) continue;
    for (const auto& [kind, cost] : costs) {
      const auto& rate = (*side.rates)[kind];
      if (rate.limited()) side.meter->buckets[kind].take(rate, cost);
    }
  }
  return std::nullopt;
}

bool RateLimiter::may_be_refused(std::string_view user) {
  if (!refused_.limited()) return true;
  const auto now = clock_.steady();
  constexpr auto kRefusal = static_cast<std::size_t>(Spending::kMessage);
  const auto& rate = refused_.rates()[kRefusal];
  auto& bucket = refused_.find(user, now).buckets[kRefusal];
  if (bucket.wait(rate, 1, now) > 0) return false;
  bucket.take(rate, 1);
  return true;
}

void RateLimiter::tick() {
  const auto now = clock_.steady();
  users_.forget_full(now);
  devices_.forget_full(now);
  refused_.forget_full(now);
}

}  // namespace chat
