// What the admin tool does: the bodies of AdminStore, each on an open session.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "storage/postgres/session.h"
#include "storage/types.h"

namespace chat {

void insert_user(PostgresSession& session, const std::string& name);
std::vector<UserRow> read_users(PostgresSession& session, const std::string& after, int limit);

std::string insert_group(PostgresSession& session, const std::string& title, const std::string& owner,
                         std::span<const std::string> members, TimeMs now);
std::vector<ConversationRow> read_conversations(PostgresSession& session, const std::string& after, int limit);

void put_member(PostgresSession& session, const std::string& conv, const std::string& user, Role role,
                const std::string& by, TimeMs now);
void delete_member(PostgresSession& session, const std::string& conv, const std::string& user, const std::string& by,
                   TimeMs now);

std::vector<DeviceRow> read_devices(PostgresSession& session, const std::string& user, const std::string& device);
DeviceRow put_device(PostgresSession& session, const std::string& user, const std::string& device,
                     const DeviceSettings& settings);
// The same within the caller's transaction.
DeviceRow put_device(PostgresSession& session, pqxx::transaction_base& transaction, const std::string& user,
                     const std::string& device, const DeviceSettings& settings);

StoreStatus read_status(PostgresSession& session);

}  // namespace chat
