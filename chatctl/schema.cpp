#include <string>

#include "chatctl/context.h"
#include "chatctl/output.h"
#include "storage/roles.h"

namespace chat::ctl {
namespace {

void migrate(Context& context) {
  const auto uri = context.uri();
  const auto applied = migrate_postgres(uri);
  const auto missing = grant_rights(uri);
  if (context.json) {
    return print_json({{"version", latest_schema_version()}, {"applied", applied}, {"roles_missing", missing}});
  }
  for (const int version : applied) print_line("applied migration " + std::to_string(version));
  print_line("the schema is at version " + std::to_string(latest_schema_version()));
  print_line(missing.empty() ? "the roles have their rights"
                             : "no rights given: there is no role " + missing.front() + " (`chatctl roles` makes it)");
}

void status(Context& context) {
  const auto status = context.store().status();
  if (context.json) {
    Json journals = Json::array();
    for (const auto& journal : status.journals) {
      journals.push_back({{"id", journal.id}, {"position", journal.position}, {"committed_at", journal.committed_at}});
    }
    return print_json({{"schema_version", status.schema_version},
                       {"users", status.users},
                       {"conversations", status.conversations},
                       {"messages_estimate", status.messages},
                       {"commands_waiting", status.commands_waiting},
                       {"journals", journals}});
  }
  print_line("schema version    " + std::to_string(status.schema_version));
  print_line("users             " + std::to_string(status.users));
  print_line("conversations     " + std::to_string(status.conversations));
  print_line("messages          about " + std::to_string(status.messages));
  print_line("commands waiting  " + std::to_string(status.commands_waiting));
  print_line("");
  Table journals{"JOURNAL", "STORED UP TO", "AT"};
  for (const auto& journal : status.journals) {
    journals.add({journal.id, std::to_string(journal.position), time_text(journal.committed_at)});
  }
  journals.print();
}

}  // namespace

void add_schema_commands(CLI::App& app, Context& context) {
  app.add_subcommand(
         "migrate",
         "Bring the database's schema, and the roles' rights in it, up to this program; as the tables' owner")
      ->callback([&context] { migrate(context); });
  app.add_subcommand("status", "Show what the store holds and how far the brokers' journals are stored")
      ->callback([&context] { status(context); });
}

}  // namespace chat::ctl
