// What the admin tool does: the bodies of AdminStore, each on an open session.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "storage/postgres/session.h"
#include "storage/types.h"

namespace chat {

void insert_user(Session& session, const std::string& name);
std::vector<UserRow> read_users(Session& session, const std::string& after, int limit);

std::string insert_group(Session& session, const std::string& title, const std::string& owner,
                         std::span<const std::string> members, TimeMs now);
std::vector<ConversationRow> read_conversations(Session& session, const std::string& after, int limit);

void put_member(Session& session, const std::string& conv, const std::string& user, Role role, const std::string& by,
                TimeMs now);
void delete_member(Session& session, const std::string& conv, const std::string& user, const std::string& by,
                   TimeMs now);

std::vector<DeviceRow> read_devices(Session& session, const std::string& user, const std::string& device);
DeviceRow put_device(Session& session, const std::string& user, const std::string& device,
                     const DeviceSettings& settings);
// The same within the caller's transaction.
DeviceRow put_device(Session& session, pqxx::transaction_base& transaction, const std::string& user,
                     const std::string& device, const DeviceSettings& settings);

StoreStatus read_status(Session& session);

}  // namespace chat
