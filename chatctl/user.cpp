#include <string>
#include <vector>

#include "chatctl/context.h"
#include "chatctl/output.h"
#include "storage/names.h"
#include "storage/refusals.h"

namespace chat::ctl {
namespace {

constexpr int kPage = 1000;  // rows asked for at once

struct AddOptions {
  std::vector<std::string> names;
  bool if_missing = false;
};

bool add_one(Store& store, const std::string& name, bool if_missing) {
  try {
    store.add_user(name);
    return true;
  } catch (const StoreRefused& refused) {
    if (!if_missing || refused.code() != "id_conflict") throw;
    return false;
  }
}

void add(Context& context, const AddOptions& options) {
  for (const auto& name : options.names) {
    if (!valid_user_name(name)) throw bad_user_name(name);  // before the first is added
  }
  Json users = Json::array();
  for (const auto& name : options.names) {
    const bool added = add_one(context.store(), name, options.if_missing);
    users.push_back({{"name", name}, {"added", added}});
    if (!context.json) print_line((added ? "added " : "there already: ") + name);
  }
  if (context.json) print_json({{"users", users}});
}

void list(Context& context) {
  Json users = Json::array();
  Table table{"NAME", "CONVERSATIONS", "CREATED"};
  std::string after;
  for (auto page = context.store().list_users(after, kPage); !page.empty();
       page = context.store().list_users(after, kPage)) {
    for (const auto& user : page) {
      if (context.json) {
        users.push_back({{"name", user.name}, {"conversations", user.conversations}, {"created_at", user.created_at}});
      } else {
        table.add({user.name, std::to_string(user.conversations), time_text(user.created_at)});
      }
    }
    after = page.back().name;
  }
  if (context.json) {
    print_json({{"users", users}});
  } else {
    table.print();
  }
}

}  // namespace

void add_user_commands(CLI::App& app, Context& context) {
  auto* user = app.add_subcommand("user", "Users")->require_subcommand(1);

  auto options = std::make_shared<AddOptions>();
  auto* add_command = user->add_subcommand("add", "Add users (their passwords are the broker's business)");
  add_command->add_option("NAME", options->names, "1 to 64 characters of A-Z a-z 0-9 . _ @ -")->required();
  add_command->add_flag("--if-missing", options->if_missing, "Leave those that exist already as they are");
  add_command->callback([&context, options] { add(context, *options); });

  user->add_subcommand("list", "List all users")->callback([&context] { list(context); });
}

}  // namespace chat::ctl
