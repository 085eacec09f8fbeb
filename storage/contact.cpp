#include "storage/contact.h"

#include <nlohmann/json.hpp>

#include "storage/refusals.h"

namespace chat {
namespace {

constexpr std::string_view kRequested = "contact.requested";
constexpr std::string_view kAcceptedEvent = "contact.accepted";
constexpr std::string_view kRemoved = "contact.removed";

constexpr ContactPair kFriends{ContactState::kAccepted, ContactState::kAccepted};
constexpr ContactPair kAsked{ContactState::kPendingOut, ContactState::kPendingIn};

void must_not_be_blocked(std::string_view user, std::string_view other, const ContactPair& pair) {
  if (pair.mine == ContactState::kBlocked) throw blocks_other(user, other);
  if (pair.theirs == ContactState::kBlocked) throw blocked_by(user, other);
}

// What is left of the other's side when one ends what there was: a block is that one's own.
std::optional<ContactState> only_a_block(const std::optional<ContactState>& theirs) {
  return theirs == ContactState::kBlocked ? theirs : std::nullopt;
}

}  // namespace

ContactStep contact_step(ContactAction action, std::string_view user, std::string_view other, const ContactPair& pair) {
  if (user == other) throw own_contact(user);
  switch (action) {
    case ContactAction::kRequest:
      must_not_be_blocked(user, other, pair);
      if (pair.mine == ContactState::kPendingIn) return {kFriends, kAcceptedEvent};  // the two requests crossed
      if (pair.mine) return {pair, {}};
      return {kAsked, kRequested};
    case ContactAction::kAccept:
      must_not_be_blocked(user, other, pair);
      if (pair.mine == ContactState::kAccepted) return {pair, {}};
      if (pair.mine != ContactState::kPendingIn) throw no_contact(user, other, "did not ask to be a contact of");
      return {kFriends, kAcceptedEvent};
    case ContactAction::kRemove:
      if (!pair.mine || pair.mine == ContactState::kBlocked) throw no_contact(user, other, "is no contact of");
      return {{std::nullopt, only_a_block(pair.theirs)}, kRemoved};
    case ContactAction::kBlock:
      return {{ContactState::kBlocked, only_a_block(pair.theirs)}, {}};
    case ContactAction::kUnblock:
      if (pair.mine != ContactState::kBlocked) throw no_contact(user, other, "is not blocked by");
      return {{std::nullopt, pair.theirs}, {}};
  }
  return {pair, {}};
}

std::string contact_event_payload(std::string_view kind, std::string_view user, TimeMs server_time) {
  return nlohmann::ordered_json{{"server_time", server_time}, {"kind", kind}, {"user", user}}.dump();
}

bool kept_apart(const DirectStanding& standing, bool contacts_only) {
  return standing.first_blocks || standing.second_blocks || (contacts_only && !standing.contacts);
}

ConversationState apart_conversation(std::string_view name, const DirectStanding& standing) {
  ConversationState state;
  state.name = name;
  state.kind = ConversationKind::kDirect;
  state.standing = standing;
  return state;
}

}  // namespace chat
