#include "plugin/core/topic.h"

#include <array>
#include <utility>

namespace chat {
namespace {

constexpr std::size_t kPrefixMax = 64;                        // bytes
constexpr std::string_view kSignalTopic = "signal/sessions";  // below rpc/; no operation's name holds a slash

constexpr std::array<std::pair<std::string_view, PublishKind>, 7> kConversationLeaves{{
    {"msg", PublishKind::kMessage},
    {"delivered", PublishKind::kDelivered},
    {"read", PublishKind::kRead},
    {"recall", PublishKind::kRecall},
    {"edit", PublishKind::kEdit},
    {"react", PublishKind::kReact},
    {"typing", PublishKind::kTyping},
}};

// Cuts the first level off `rest`; an absent second level is told from an empty one by `more`.
std::string_view take_level(std::string_view* rest, bool* more) {
  const auto slash = rest->find('/');
  *more = slash != std::string_view::npos;
  const auto level = rest->substr(0, slash);
  *rest = *more ? rest->substr(slash + 1) : std::string_view{};
  return level;
}

}  // namespace

TopicSpace::TopicSpace(std::string prefix) : prefix_(std::move(prefix)) {}

bool TopicSpace::valid_prefix(std::string_view prefix) {
  if (prefix.empty() || prefix.size() > kPrefixMax || prefix.front() == '$') return false;
  if (prefix.front() == '/' || prefix.back() == '/' || prefix.find("//") != std::string_view::npos) return false;
  for (const char c : prefix) {
    if (c == '+' || c == '#' || static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F)
      return false;
  }
  return true;
}

std::optional<std::string_view> TopicSpace::below_prefix(std::string_view topic) const {
  if (topic.size() <= prefix_.size() || topic[prefix_.size()] != '/' || !topic.starts_with(prefix_))
    return std::nullopt;
  return topic.substr(prefix_.size() + 1);
}

std::optional<PublishTopic> TopicSpace::parse(std::string_view topic) const {
  if (topic == prefix_) return PublishTopic{};
  const auto below = below_prefix(topic);
  if (!below) return std::nullopt;
  auto rest = *below;
  bool more = false;
  const auto head = take_level(&rest, &more);
  PublishTopic parsed;
  if (head == "c" && more) {
    parsed.name = take_level(&rest, &more);
    if (!more) return parsed;
    for (const auto& [leaf, kind] : kConversationLeaves) {
      if (rest == leaf) parsed.kind = kind;
    }
  } else if (head == "d" && more) {
    parsed.name = take_level(&rest, &more);
    if (more && rest == "msg") parsed.kind = PublishKind::kDirect;
  } else if (head == "u" && more) {
    parsed.name = take_level(&rest, &more);
    if (more) parsed.kind = PublishKind::kUserTopic;
    if (rest == "order/forward") parsed.kind = PublishKind::kForward;
    if (rest == "order/kick") parsed.kind = PublishKind::kKick;
  } else if (head == "rpc" && more) {
    parsed.operation = rest;
    if (!rest.empty() && rest.find('/') == std::string_view::npos) parsed.kind = PublishKind::kRpc;
    if (rest == kSignalTopic) parsed.kind = PublishKind::kSignal;
  } else if (!more && head == "ack") {
    parsed.kind = PublishKind::kAckMany;
  } else if (!more && head == "sync") {
    parsed.kind = PublishKind::kSync;
  }
  return parsed;
}

std::string TopicSpace::signal() const {
  return prefix_ + "/rpc/" + std::string(kSignalTopic);
}

std::string TopicSpace::request(std::string_view operation) const {
  return prefix_ + "/rpc/" + std::string(operation);
}

std::string TopicSpace::user(std::string_view user, std::string_view leaf) const {
  std::string topic;
  topic.reserve(prefix_.size() + user.size() + leaf.size() + 4);
  topic.append(prefix_).append("/u/").append(user).append("/").append(leaf);
  return topic;
}

std::string TopicSpace::conversation(std::string_view conv, std::string_view leaf) const {
  std::string topic;
  topic.reserve(prefix_.size() + conv.size() + leaf.size() + 4);
  topic.append(prefix_).append("/c/").append(conv).append("/").append(leaf);
  return topic;
}

}  // namespace chat
