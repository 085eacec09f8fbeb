// How one user stands to another, and what a step does to that: the same for every store. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

// What stands in a user's own list about another one. The values are the database's.
enum class ContactState : std::uint8_t { kPendingOut = 0, kPendingIn = 1, kAccepted = 2, kBlocked = 3 };

enum class ContactAction : std::uint8_t { kRequest, kAccept, kRemove, kBlock, kUnblock };

// `mine` of the one who acts, `theirs` of the other; nullopt: nothing is said of each other.
struct ContactPair {
  std::optional<ContactState> mine;
  std::optional<ContactState> theirs;

  bool operator==(const ContactPair&) const = default;
};

struct ContactStep {
  ContactPair becomes;
  std::string_view told;  // the kind of the event for the other user; empty: the other is told nothing
};

// What `action` of `user` on `other` makes of the two. A step that finds what it wants changes nothing and tells
// nobody. Throws StoreRefused: blocked (a request or an acceptance, where one blocks the other), not_found (nothing to
// accept, to remove, to unblock), bad_field (oneself).
ContactStep contact_step(ContactAction action, std::string_view user, std::string_view other, const ContactPair& pair);

// {"server_time":…,"kind":"contact.…","user":…} as the other one gets it; `user` is who acted.
std::string contact_event_payload(std::string_view kind, std::string_view user, TimeMs server_time);

// Whether the two may not write to each other.
bool kept_apart(const DirectStanding& standing, bool contacts_only);

// What load_conversation() answers of a direct one that is not there and that is not made for these two.
ConversationState apart_conversation(std::string_view name, const DirectStanding& standing);

}  // namespace chat
