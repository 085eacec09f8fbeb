#include "storage/roles.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "chatctl/context.h"
#include "chatctl/output.h"
#include "storage/secret_file.h"

namespace chat::ctl {
namespace {

struct RoleOptions {
  bool print = false;
  std::string passwords;  // a folder; empty: leave them as they are
};

std::map<std::string, std::string> passwords_in(const std::string& folder) {
  std::map<std::string, std::string> passwords;
  if (folder.empty()) return passwords;
  for (const auto role : kProgramRoles) {
    const std::string name(role);
    passwords[name] = read_secret((std::filesystem::path(folder) / (name + "-password")).string());
  }
  return passwords;
}

void roles(Context& context, const RoleOptions& options) {
  if (options.print) return print_line(roles_sql());
  const auto passwords = passwords_in(options.passwords);
  const auto made = make_roles(context.uri(), passwords);
  if (context.json) return print_json({{"made", made}, {"passwords_set", !passwords.empty()}});
  for (const auto& role : made) print_line("made the role " + role);
  if (!passwords.empty()) print_line("set the roles' passwords");
  print_line("the roles are there: `chatctl migrate`, as the tables' owner, gives them their rights");
}

}  // namespace

void add_role_commands(CLI::App& app, Context& context) {
  auto options = std::make_shared<RoleOptions>();
  auto* command = app.add_subcommand(
      "roles", "Make the PostgreSQL roles chat_plugin, chat_bridge and chat_admin; needs the right to make roles");
  auto* print = command->add_flag("--print", options->print, "Print the SQL and do nothing");
  command
      ->add_option("--passwords", options->passwords,
                   "A folder with the files chat_plugin-password, chat_bridge-password and chat_admin-password, whose "
                   "first line becomes each role's password; without it, psql's \\password sets one")
      ->type_name("FOLDER")
      ->excludes(print);
  command->callback([&context, options] { roles(context, *options); });
}

}  // namespace chat::ctl
