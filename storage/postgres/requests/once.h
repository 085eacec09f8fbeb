// A request that changes something, carried out once however often it is sent.
#pragma once

#include <functional>
#include <string>

#include "storage/postgres/session.h"
#include "storage/requests.h"

namespace chat {

// The body of RequestStore::once().
std::string answer_once(PostgresSession& session, const RequestKey& key,
                        const std::function<std::string(RequestChanges&)>& work);

// Forgets answers of more than 24 hours ago, at most a few thousand at a time.
void forget_old_answers(PostgresSession& session, TimeMs now);

}  // namespace chat
