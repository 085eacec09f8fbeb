// What every subcommand is given.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "storage/store.h"

namespace chat::ctl {

struct Context {
  std::string given_uri;  // what is nearest to the command line counts: this, the file, CHAT_PG
  std::string uri_file;
  bool json = false;
  std::unique_ptr<Store> opened;

  // Where PostgreSQL is. Throws CLI::RequiredError or CLI::ValidationError, whose sentence holds no piece of it.
  std::string uri() const;

  // Opened at first use.
  Store& store() {
    if (!opened) opened = open_postgres(uri(), "chatctl");
    return *opened;
  }
};

// Each adds its subcommands, whose callbacks run while the command line is being parsed. `context` outlives `app`.
void add_user_commands(CLI::App& app, Context& context);
void add_conversation_commands(CLI::App& app, Context& context);
void add_member_commands(CLI::App& app, Context& context);
void add_device_commands(CLI::App& app, Context& context);
void add_role_commands(CLI::App& app, Context& context);    // roles
void add_schema_commands(CLI::App& app, Context& context);  // migrate, status

}  // namespace chat::ctl
