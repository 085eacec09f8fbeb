#include "plugin/core/access.h"

#include <algorithm>
#include <vector>

#include "plugin/core/refusal.h"

namespace chat {
namespace {

using Kind = SubscribeDecision::Kind;

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> levels;
  while (true) {
    const auto slash = text.find('/');
    levels.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return levels;
    text.remove_prefix(slash + 1);
  }
}

bool is_wild(std::string_view level) {
  return level == "+" || level == "#";
}

// Whether a topic with that level behind the prefix is ever delivered to anybody.
bool may_be_ours(std::string_view level) {
  return is_wild(level) || level == "u" || level == "c" || level == "d" || level == "rpc";
}

// Takes "$share/{group}/" off; false where the filter is not shared.
bool take_share(std::string_view* filter) {
  constexpr std::string_view kShare = "$share/";
  if (!filter->starts_with(kShare)) return false;
  const auto slash = filter->find('/', kShare.size());
  if (slash == std::string_view::npos) return false;
  filter->remove_prefix(slash + 1);
  return true;
}

SubscribeDecision refuse(bool shared, std::string reason) {
  return {.kind = Kind::kRefused, .shared = shared, .conversation = {}, .reason = std::move(reason)};
}

}  // namespace

SubscribeDecision decide_subscribe(const TopicSpace& topics, std::string_view filter, std::string_view user,
                                   bool is_bridge) {
  const auto whole = filter;
  SubscribeDecision decision;
  decision.shared = take_share(&filter);
  const auto levels = split(filter);
  const auto prefix = split(topics.prefix());
  // Level by level against the prefix. A '#' inside it covers all that is ours.
  std::size_t at = 0;
  for (; at < prefix.size(); ++at) {
    if (at >= levels.size()) return decision;  // shorter than every topic of ours
    if (levels[at] == "#") break;
    if (levels[at] != "+" && levels[at] != prefix[at]) return decision;
  }
  if (at == prefix.size() && at >= levels.size()) return decision;  // the prefix itself: nothing is published there
  if (std::all_of(levels.begin(), levels.end(), is_wild)) {
    decision.kind = Kind::kEverything;
    return decision;
  }
  if (at < prefix.size() || levels[at] == "#") {
    return refuse(decision.shared, "The filter " + in_quotes(whole) + " covers other users' topics.");
  }
  // Other people's "+/status" and "+/+/temperature", in which a wildcard stands for the prefix among others: nothing
  // that anybody reads of ours has such a name.
  const auto first = levels.begin();
  const bool by_wildcard = std::find(first, first + static_cast<std::ptrdiff_t>(prefix.size()), "+") !=
                           first + static_cast<std::ptrdiff_t>(prefix.size());
  if (by_wildcard &&
      (!may_be_ours(levels[at]) || (levels[at] == "+" && levels.size() == at + 2 && levels.back() != "#"))) {
    return decision;
  }
  if (user.empty())
    return refuse(decision.shared, "The filter " + in_quotes(whole) + " needs a user name and password.");
  const auto head = levels[at];
  if (head == "rpc") {
    if (!is_bridge) return refuse(decision.shared, "Only the bridge reads requests: " + in_quotes(whole) + ".");
    decision.kind = Kind::kRequests;
    return decision;
  }
  if (head == "u" || head == "+") {
    // "+" here could stand for "u", so it is held to the same rule.
    if (head == "u" && at + 2 < levels.size() && levels[at + 1] == user && !decision.shared) {
      decision.kind = Kind::kOwn;
      return decision;
    }
    return refuse(decision.shared, "The filter " + in_quotes(whole) +
                                       " covers topics that are not only those of user " + in_quotes(user) +
                                       (decision.shared ? ", or shares them." : "."));
  }
  if (head == "c" && levels.size() == at + 3 && levels[at + 2] == "msg" && !is_wild(levels[at + 1])) {
    decision.kind = Kind::kConversation;
    decision.conversation = levels[at + 1];
    return decision;
  }
  return refuse(decision.shared, "Nobody can subscribe to " + in_quotes(whole) + ".");
}

// Our own, though libmosquitto has one: the core is built and tested without the broker, and shares split() with the
// above.
bool filter_matches(std::string_view filter, std::string_view topic) {
  if (!topic.empty() && topic.front() == '$' && !filter.empty() && is_wild(filter.substr(0, 1))) return false;
  const auto wanted = split(filter);
  const auto levels = split(topic);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return true;  // also the parent level: "a/#" matches "a"
    if (i >= levels.size()) return false;
    if (wanted[i] != "+" && wanted[i] != levels[i]) return false;
  }
  if (wanted.size() == levels.size()) return true;
  return false;
}

}  // namespace chat
