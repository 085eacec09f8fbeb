#include "storage/labels.h"

#include <array>

namespace chat {
namespace {

// Each table is indexed by the enumeration's value.
constexpr std::array<std::string_view, 3> kRoles{"member", "admin", "owner"};
constexpr std::array<std::string_view, 2> kKinds{"direct", "group"};
constexpr std::array<std::string_view, 8> kTypes{"text", "image", "voice",    "video",
                                                 "file", "emoji", "location", "custom"};
constexpr std::array<std::string_view, 2> kReplays{"full", "newest"};
constexpr std::array<std::string_view, 2> kAcks{"client", "auto"};
constexpr std::array<std::string_view, 4> kContacts{"pending_out", "pending_in", "accepted", "blocked"};
static_assert(static_cast<std::size_t>(Role::kOwner) == kRoles.size() - 1);
static_assert(static_cast<std::size_t>(ConversationKind::kGroup) == kKinds.size() - 1);
static_assert(static_cast<std::size_t>(MessageType::kCustom) == kTypes.size() - 1);
static_assert(static_cast<std::size_t>(Replay::kNewest) == kReplays.size() - 1);
static_assert(static_cast<std::size_t>(AckMode::kAuto) == kAcks.size() - 1);
static_assert(static_cast<std::size_t>(ContactState::kBlocked) == kContacts.size() - 1);

template <typename Enum, std::size_t N>
std::string_view word_of(const std::array<std::string_view, N>& words, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? words[index] : std::string_view("?");
}

template <typename Enum, std::size_t N>
std::optional<Enum> value_of(const std::array<std::string_view, N>& words, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == word) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view label(Role role) {
  return word_of(kRoles, role);
}
std::string_view label(ConversationKind kind) {
  return word_of(kKinds, kind);
}
std::string_view label(MessageType type) {
  return word_of(kTypes, type);
}
std::string_view label(Replay replay) {
  return word_of(kReplays, replay);
}
std::string_view label(AckMode ack) {
  return word_of(kAcks, ack);
}
std::string_view label(ContactState state) {
  return word_of(kContacts, state);
}

std::optional<Role> role_from(std::string_view word) {
  return value_of<Role>(kRoles, word);
}
std::optional<MessageType> message_type_from(std::string_view word) {
  return value_of<MessageType>(kTypes, word);
}
std::optional<Replay> replay_from(std::string_view word) {
  return value_of<Replay>(kReplays, word);
}
std::optional<AckMode> ack_mode_from(std::string_view word) {
  return value_of<AckMode>(kAcks, word);
}
std::optional<ContactState> contact_state_from(std::string_view word) {
  return value_of<ContactState>(kContacts, word);
}

}  // namespace chat
