// The PostgreSQL roles that the programs log in as, and their rights. What each may do: storage/grants.sql.
//
// Roles are the whole server's, rights a database's; so whoever may make roles does it once (make_roles), and whoever
// owns the tables gives the rights behind each migration (grant_rights). Without the roles everything works as the
// tables' owner.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

// Of the plugin, the bridge and chatctl.
inline constexpr std::array<std::string_view, 3> kProgramRoles{"chat_plugin", "chat_bridge", "chat_admin"};

// What makes those that are missing, for a person who would rather read it first; safe to repeat.
std::string roles_sql();

// Executes roles_sql() as the user of `uri`, and gives a password to each role that `passwords` names (kProgramRoles);
// the server gets it hashed, so that no log of statements holds it. Answers which roles were made. Throws StoreRefused,
// not_allowed, where a role is there and may more than a program needs; StoreUnavailable where the user may not make
// roles.
std::vector<std::string> make_roles(const std::string& uri, const std::map<std::string, std::string>& passwords);

// Gives the roles their rights in the database of `uri`, whose user owns the tables: they are as grants.sql says
// afterwards, whatever they were. Answers which roles are missing; where any is, nothing was changed.
std::vector<std::string> grant_rights(const std::string& uri);

}  // namespace chat
