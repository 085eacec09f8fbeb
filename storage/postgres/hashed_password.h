// A role's password as PostgreSQL stores it, made on this side: the server's log never sees the password itself.
#pragma once

#include <map>
#include <string>

namespace chat {

// By role, SCRAM-SHA-256. Opens a connection of its own. Throws StoreUnavailable.
std::map<std::string, std::string> hashed_passwords(const std::string& conninfo,
                                                    const std::map<std::string, std::string>& passwords);

}  // namespace chat
