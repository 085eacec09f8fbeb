// How much one user, and one device, may ask of the broker's thread: token buckets, kept by name, so that who connects
// anew goes on where they were. A bucket that must be full again is forgotten: that changes nothing, and names that
// somebody invents do not stay in memory.
// Thread: the broker's only. Nothing is allocated for a name that is known.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "plugin/core/clock.h"
#include "plugin/core/refusal.h"

namespace chat {

// So much a second in the long run, and up to `burst` at once behind a pause.
struct Rate {
  std::int64_t per_second = 0;  // 0: there is no limit
  std::int64_t burst = 0;       // at least 1 where there is one

  bool limited() const { return per_second > 0; }
};

inline constexpr std::int64_t kRateMost = 1'000'000'000;  // of both

// "off", "50/s" (the burst is a second's worth) or "50/s burst 200"; nullopt: none of these, or out of bounds.
std::optional<Rate> parse_rate(std::string_view text);

// Exact: in any time t it lets burst + per_second × t through, and refuses nothing below that. Counts in thousandths,
// which is what a rate of one a second gives in a millisecond.
class TokenBucket {
 public:
  // Full at `now`.
  TokenBucket(const Rate& rate, TimeMs now) : level_(rate.burst * 1000), at_(now) {}

  // Milliseconds until `cost` can be taken: 0 = now. A cost above the burst needs the whole bucket. A clock that was
  // set back gives nothing and takes nothing: it fills on from there.
  TimeMs wait(const Rate& rate, std::int64_t cost, TimeMs now);
  // Where wait() answered 0 for it.
  void take(const Rate& rate, std::int64_t cost);

 private:
  std::int64_t level_;
  TimeMs at_;
};

enum class Spending : std::uint8_t {
  kMessage,  // messages and commands, and whatever nothing else stands for
  kRequest,  // what PostgreSQL is asked for: requests, subscriptions, chat/sync
  kSign,     // acknowledgements and typing
};

struct Allowance {
  Rate messages;
  Rate requests;
  Rate signs;
  Rate bytes;  // of all of these
};

struct RateLimits {
  Allowance user;
  Allowance device;
  Rate refusals;  // how often one user may be refused by these
};

class RateLimiter {
 public:
  // `clock` outlives the object.
  RateLimiter(const RateLimits& limits, const Clock& clock);

  // Takes one of the kind and `bytes`, of the user and the device (empty: of none). The refusal says whose, how much
  // and when to come again; then nothing was taken from any.
  std::optional<Refusal> take(std::string_view user, std::string_view device, Spending what, std::size_t bytes);

  // Behind each refusal of take()'s: false where the user was refused more often than RateLimits::refusals.
  bool may_be_refused(std::string_view user);

  void tick();
  // Whether take() could ever refuse anything.
  bool limited() const { return users_.limited() || devices_.limited(); }
  std::size_t size() const { return users_.size() + devices_.size() + refused_.size(); }  // how many are remembered

 private:
  static constexpr std::size_t kKinds = 4;
  using Rates = std::array<Rate, kKinds>;
  struct Meter {
    std::string name;
    std::array<TokenBucket, kKinds> buckets;
    TimeMs used_at = 0;
  };

  // The buckets of all users, or of all devices.
  class Meters {
   public:
    explicit Meters(const Allowance& allowance);
    bool limited() const { return full_after_ > 0; }
    const Rates& rates() const { return rates_; }
    Meter& find(std::string_view name, TimeMs now);
    void forget_full(TimeMs now);
    std::size_t size() const { return by_name_.size(); }

   private:
    Rates rates_;
    TimeMs full_after_ = 0;  // of rest; 0: nothing is limited
    std::list<Meter> latest_first_;
    std::unordered_map<std::string_view, std::list<Meter>::iterator> by_name_;  // views of the list's own names
  };

  struct Shortage {
    TimeMs wait = 0;
    std::size_t kind = 0;
    bool device = false;
  };

  const Clock& clock_;
  Meters users_;
  Meters devices_;
  Meters refused_;          // of users; their refusals count as messages
  std::string device_key_;  // kept for its memory
};

}  // namespace chat
