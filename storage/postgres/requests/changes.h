// RequestChanges on PostgreSQL: lives within one call of RequestStore::once(). The methods stand in the file of their
// kind: conversation_changes.cpp, member_changes.cpp, contact_changes.cpp, personal_changes.cpp, order_changes.cpp.
#pragma once

#include <string>
#include <utility>

#include "storage/postgres/session.h"
#include "storage/requests.h"

namespace chat {

class PostgresChanges : public RequestChanges {
 public:
  PostgresChanges(PostgresSession& session, pqxx::work& transaction, std::string user, TimeMs now)
      : session_(session), transaction_(transaction), user_(std::move(user)), now_(now) {}

  std::string create_group(const NewGroup& group, const GroupBounds& bounds) override;
  std::string create_direct(const std::string& other, bool contacts_only) override;
  void update_conversation(const std::string& conv, const ConversationUpdate& update) override;
  void leave(const std::string& conv) override;

  AddedMembers add_members(const std::string& conv, std::span<const std::string> users,
                           const GroupBounds& bounds) override;
  void remove_members(const std::string& conv, std::span<const std::string> users) override;
  void set_role(const std::string& conv, const std::string& user, Role role) override;

  std::optional<ContactState> change_contact(ContactAction action, const std::string& other) override;

  DeviceRow set_device(const std::string& device, const DeviceSettings& settings) override;
  void set_profile(const ProfileUpdate& update) override;
  void set_settings(const std::string& conv, const SettingsUpdate& update) override;
  void delete_messages(const std::string& conv, std::span<const Seq> seqs) override;
  void delete_up_to(const std::string& conv, Seq seq) override;

  std::vector<ForwardedTo> forward_message(const std::string& conv, Seq seq, std::span<const std::string> to,
                                           bool contacts_only) override;
  void kick_device(const std::string& device, bool forget) override;

 private:
  // Nobody is put into a group (0: a new one) by somebody whom they block; who is in it already is not put there.
  // Refused: blocked (the first of them in byte order).
  void must_be_allowed_to_add(ConvId group, std::span<const std::string> users);
  // Behind having put them into a group: nobody is in more than so many, also where two requests do it at once.
  // Refused: not_allowed (the first of them in byte order).
  void must_not_be_in_more_groups(std::span<const std::string> users, int most);

  PostgresSession& session_;
  pqxx::work& transaction_;
  const std::string user_;
  const TimeMs now_;
};

}  // namespace chat
