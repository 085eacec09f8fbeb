// A change of a group within the caller's transaction: what chatctl and the requests have in common.
//
// Invariants
//  (1) The group's row is locked first, and for the rest of the transaction: that is what keeps `rev` without holes,
//  and
//      a new member's first seq apart from a commit that runs beside it.
//  (2) Each durable change is an event with the next rev. finish() writes them all; without it nothing may be
//  committed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/member_event.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/session.h"
#include "storage/request_values.h"
#include "storage/types.h"

namespace chat {

class GroupChange {
 public:
  // Locks the conversation. `by` goes into the events as it is. Refused: not_found (conversation), not_allowed (a
  // direct one).
  GroupChange(PostgresSession& session, pqxx::work& transaction, std::string conv, std::string by, TimeMs now);

  ConvId id() const { return id_; }
  std::int64_t members();  // how many there are
  // nullopt: not a member.
  std::optional<Role> role_of(const std::string& user);
  // Members as plain ones but for `role`; answers those who were none before, in byte order. Refused: not_found (a
  // user).
  std::vector<std::string> add(std::span<const std::string> users, Role role);
  // For a member.
  void set_role(const std::string& user, Role role);
  // False: was not a member, and nothing was changed.
  bool remove(const std::string& user);
  // Sets those fields that differ from what is there; none is no event.
  void update(const ConversationUpdate& update);
  void finish();

 private:
  void event(const MemberEvent& event);

  PostgresSession& session_;
  pqxx::work& transaction_;
  const std::string conv_;
  const std::string by_;
  const TimeMs now_;
  ConvId id_ = 0;
  Seq last_seq_ = 0;
  Rev first_rev_ = 0;  // the last one before this change
  Rev last_rev_ = 0;
  ArrayText events_;  // payloads, from first_rev_ + 1 to last_rev_
};

// Makes a group with its first event, conversation.created, and answers its name. `owner` is a member too. Refused:
// not_found (a user).
std::string make_group(PostgresSession& session, pqxx::work& transaction, const NewGroup& group,
                       const std::string& owner, TimeMs now);

}  // namespace chat
