// Topics and access: four lines say prefix, user, filter and topic. What is parsed is printed the same; a filter that
// is granted never matches another user's topic; and the matching is the broker's own.
#include "plugin/core/topic.h"

#include <mosquitto.h>

#include <array>
#include <string>

#include "plugin/core/access.h"
#include "storage/names.h"
#include "tests/fuzz/target.h"

namespace chat::fuzz {
namespace {

using Kind = SubscribeDecision::Kind;

constexpr std::string_view kShare = "$share/";

std::string_view without_share(std::string_view filter) {
  if (!filter.starts_with(kShare)) return filter;
  const auto slash = filter.find('/', kShare.size());
  return slash == std::string_view::npos ? filter : filter.substr(slash + 1);
}

// What the broker hands on: it checks before it asks the plugin.
bool valid_filter(std::string_view filter) {
  return filter.find('\0') == std::string_view::npos &&
         mosquitto_sub_topic_check2(filter.data(), filter.size()) == MOSQ_ERR_SUCCESS;
}

bool valid_topic(std::string_view topic) {
  return !topic.empty() && topic.find('\0') == std::string_view::npos &&
         mosquitto_pub_topic_check2(topic.data(), topic.size()) == MOSQ_ERR_SUCCESS;
}

void check_printing(const TopicSpace& topics, std::string_view topic) {
  const auto parsed = topics.parse(topic);
  const auto below = topics.below_prefix(topic);
  require(parsed.has_value() == (below || topic == topics.prefix()), "what is below the prefix is ours", topic);
  if (!parsed) return;
  const auto conversation = [&](std::string_view leaf) { return topics.conversation(parsed->name, leaf); };
  std::string printed(topic);
  switch (parsed->kind) {
    case PublishKind::kMessage:
      printed = conversation("msg");
      break;
    case PublishKind::kDelivered:
      printed = conversation("delivered");
      break;
    case PublishKind::kRead:
      printed = conversation("read");
      break;
    case PublishKind::kRecall:
      printed = conversation("recall");
      break;
    case PublishKind::kEdit:
      printed = conversation("edit");
      break;
    case PublishKind::kReact:
      printed = conversation("react");
      break;
    case PublishKind::kTyping:
      printed = conversation("typing");
      break;
    case PublishKind::kDirect:
      printed = topics.prefix() + "/d/" + std::string(parsed->name) + "/msg";
      break;
    case PublishKind::kAckMany:
      printed = topics.prefix() + "/ack";
      break;
    case PublishKind::kSync:
      printed = topics.prefix() + "/sync";
      break;
    case PublishKind::kRpc:
      printed = topics.request(parsed->operation);
      break;
    case PublishKind::kSignal:
      printed = topics.signal();
      break;
    case PublishKind::kForward:
      printed = topics.user(parsed->name, "order/forward");
      break;
    case PublishKind::kKick:
      printed = topics.user(parsed->name, "order/kick");
      break;
    case PublishKind::kUserTopic:
      require(topic.starts_with(topics.user(parsed->name, "")), "a user's topic names the user", topic);
      break;
    case PublishKind::kUnknown:
      break;
  }
  require(printed == topic, "a topic that is parsed and printed is the same", topic);
  require(parsed->name.find('/') == std::string_view::npos, "a name is one level", topic);
}

// What a decision must not let through.
void check_granted(const TopicSpace& topics, const SubscribeDecision& decision, std::string_view filter,
                   std::string_view topic, std::string_view user, bool is_bridge) {
  if (!valid_topic(topic) || !filter_matches(without_share(filter), topic)) return;
  const auto parsed = topics.parse(topic);
  if (!parsed || topic == topics.prefix()) return;
  // What is never delivered to anybody may be outside: each delivery is checked as well.
  const bool heard = parsed->kind == PublishKind::kMessage || parsed->kind == PublishKind::kRpc ||
                     parsed->kind == PublishKind::kSignal || parsed->kind == PublishKind::kUserTopic;
  require(decision.kind != Kind::kOutside || !heard, "what matches a topic of ours that is heard is not outside",
          filter);
  // Nothing but wildcards, and what is outside, may be granted by others; each delivery is checked.
  if (decision.kind == Kind::kRefused || decision.kind == Kind::kEverything || decision.kind == Kind::kOutside) return;
  require(!user.empty(), "who has no name is granted nothing of ours", filter);
  if (of_the_server(parsed->kind)) {
    require(parsed->name == user && decision.kind == Kind::kOwn, "nobody is granted another user's topics", filter);
    require(!decision.shared, "nobody shares their own topics", filter);
  }
  if (parsed->kind == PublishKind::kRpc || parsed->kind == PublishKind::kSignal) {
    require(is_bridge && decision.kind == Kind::kRequests, "only the bridge reads requests", filter);
  }
  if (decision.kind == Kind::kConversation) {
    require(topic == topics.conversation(decision.conversation, "msg"), "a conversation's filter matches that one only",
            filter);
  }
}

// The filter with its wildcards replaced: topics that it matches.
std::string filled(std::string_view filter, std::string_view level, std::string_view rest) {
  std::string topic;
  while (true) {
    const auto slash = filter.find('/');
    const auto here = filter.substr(0, slash);
    topic += here == "+" ? level : here == "#" ? rest : here;
    if (slash == std::string_view::npos) return topic;
    topic += '/';
    filter.remove_prefix(slash + 1);
  }
}

void check_filter(const TopicSpace& topics, std::string_view filter, std::string_view topic, std::string_view user,
                  bool is_bridge) {
  const auto decision = decide_subscribe(topics, filter, user, is_bridge);
  if (decision.kind == Kind::kRefused) {
    require(decision.reason.ends_with('.') && decision.reason.size() < 400, "a refusal says why", decision.reason);
  }
  if (decision.kind == Kind::kRequests) require(is_bridge, "only the bridge reads requests", filter);
  const auto check = [&](const std::string& one) { check_granted(topics, decision, filter, one, user, is_bridge); };
  check(std::string(topic));
  const auto stripped = without_share(filter);
  for (const std::string_view level : {"u", "c", "rpc", "bob", "g:team", "inbox", "msg"}) {
    for (const std::string_view rest : {"u/bob/inbox", "bob/inbox", "inbox", "c/g:team/msg", "rpc/ping", "msg"}) {
      check(filled(stripped, level, rest));
    }
  }
  const std::string name(user);
  for (const auto& other : {std::string("bob"), name + "x", name.substr(0, name.size() / 2), std::string("+"), name}) {
    for (const std::string_view leaf : {"inbox", "unread/total", "reply/phone", "order/kick"}) {
      check(topics.user(other, leaf));
    }
  }
}

void check_matching(std::string_view filter, std::string_view topic) {
  if (!valid_topic(topic)) return;
  bool theirs = false;  // the form that takes lengths does not look at them
  const auto matched = mosquitto_topic_matches_sub(std::string(filter).c_str(), std::string(topic).c_str(), &theirs);
  if (matched != MOSQ_ERR_SUCCESS) return;
  require(filter_matches(filter, topic) == theirs, "a filter matches what the broker's matches", filter);
}

}  // namespace

void topic(std::string_view bytes) {
  const auto prefix = take_line(&bytes);
  const auto user = take_line(&bytes);
  const auto filter = take_line(&bytes);
  const auto published = take_line(&bytes);
  const TopicSpace topics(TopicSpace::valid_prefix(prefix) ? std::string(prefix) : "chat");
  require(valid_topic(topics.prefix()), "a prefix is a topic", prefix);
  check_printing(topics, published);
  check_printing(topics, topics.prefix() + "/" + std::string(published));
  const auto who = valid_user_name(user) ? user : std::string_view();
  for (const bool is_bridge : {false, true}) {
    if (is_bridge && who.empty()) continue;
    if (valid_filter(filter)) check_filter(topics, filter, published, who, is_bridge);
    const auto ours = topics.prefix() + "/" + std::string(filter);
    if (valid_filter(ours)) check_filter(topics, ours, published, who, is_bridge);
  }
  if (valid_filter(filter)) check_matching(without_share(filter), published);
}

}  // namespace chat::fuzz

CHAT_FUZZ_TARGET(topic);
