#include <string>
#include <vector>

#include "chatctl/context.h"
#include "chatctl/output.h"
#include "storage/labels.h"

namespace chat::ctl {
namespace {

struct Options {
  std::string conv;
  std::vector<std::string> users;
  std::string role = "member";
  std::string by;
};

// Says after each user what was done: the next one may be refused.
template <typename Change>
void change_each(Context& context, const Options& options, std::string_view done, Change change) {
  for (const auto& user : options.users) {
    change(user);
    if (!context.json) print_line(std::string(done) + " " + user);
  }
  if (context.json) print_json({{"conversation", options.conv}, {done, options.users}});
}

void add(Context& context, const Options& options) {
  const Role role = role_from(options.role).value();
  change_each(context, options, "added", [&](const std::string& user) {
    context.store().add_member(options.conv, user, role, options.by, time_now());
  });
}

void remove(Context& context, const Options& options) {
  change_each(context, options, "removed", [&](const std::string& user) {
    context.store().remove_member(options.conv, user, options.by, time_now());
  });
}

CLI::App* subcommand(CLI::App& parent, const std::string& name, const std::string& what,
                     const std::shared_ptr<Options>& options) {
  auto* command = parent.add_subcommand(name, what);
  command->add_option("CONVERSATION", options->conv, "A group's name, g:…")->required();
  command->add_option("USER", options->users, "One user or several")->required();
  command->add_option("--by", options->by, "Who does it, for the event that the members receive");
  return command;
}

}  // namespace

void add_member_commands(CLI::App& app, Context& context) {
  auto* member = app.add_subcommand("member", "Members of a group")->require_subcommand(1);

  auto added = std::make_shared<Options>();
  auto* add_command = subcommand(*member, "add", "Add members, or change the role of those who are in it", added);
  add_command->add_option("--role", added->role, "member, admin or owner")
      ->check(CLI::IsMember({"member", "admin", "owner"}));
  add_command->callback([&context, added] { add(context, *added); });

  auto removed = std::make_shared<Options>();
  subcommand(*member, "remove", "Remove members", removed)->callback([&context, removed] {
    remove(context, *removed);
  });
}

}  // namespace chat::ctl
