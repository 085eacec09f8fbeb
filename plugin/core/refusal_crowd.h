// What is said of refusals when they come in crowds. Whoever floods is told of each refused publish, as everybody is,
// up to some hundred a second; the rest is gathered and told together, each id among it. So a flood of refused
// publishes is not answered by as large a flood of errors, for which the others on the broker would wait. Thread: the
// broker's only.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/core/rate_limit.h"
#include "plugin/core/string_map.h"

namespace chat {

class RefusalCrowd {
 public:
  // Told one by one, of each user. A user whose error topic is told more than the queue of a client holds would lose
  // some of it.
  static constexpr Rate kOneByOne{.per_second = 200, .burst = 200};
  static constexpr TimeMs kTogetherEveryMs = 250;
  static constexpr std::size_t kIdsMax = 1000;  // in one; what is above is counted

  // Publishes an error's payload to that user.
  using Tell = std::function<void(const std::string& user, const std::string& payload, int qos)>;

  // `clock` outlives the object.
  RefusalCrowd(const Clock& clock, Tell tell) : clock_(clock), tell_(std::move(tell)) {}

  // Tells it at once, or at a later tick().
  void refused(std::string_view user, std::string_view topic, const Refusal& refusal);
  // Why the user's device is about to be disconnected: behind what was gathered, both at once, for later the device
  // would not hear of it. Where that was just done for the user it joins the crowd: who connects over and over is not
  // answered each time.
  // True: it was told now, all of it with this `qos`.
  bool last_words(std::string_view user, std::string_view topic, const Refusal& refusal, int qos);
  void tick();

 private:
  struct Gathered {
    TokenBucket bucket;
    TimeMs told_at = 0;  // Clock::steady()
    std::optional<TimeMs> last_words_at;
    std::size_t count = 0;
    std::vector<std::string> ids;
    std::string topic;
    Refusal latest;
  };
  StringMap<Gathered>::value_type& crowd_of(std::string_view user, TimeMs now);
  void tell_together(const std::string& user, Gathered& crowd, int qos);

  const Clock& clock_;
  const Tell tell_;
  StringMap<Gathered> crowds_;
};

}  // namespace chat
