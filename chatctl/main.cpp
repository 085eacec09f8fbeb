// chatctl: users, conversations, members, devices and the schema, by hand or from a script.
//
// Exit codes: 0 done; 1 refused, with "code: sentence" on stderr; 2 the command line is wrong; 3 the store can't be
// reached, or was lost before it answered.
#include <iostream>

#include "chatctl/context.h"

namespace {

enum Exit { kRefused = 1, kUsage = 2, kUnavailable = 3 };

int complain(std::string_view code, const std::exception& error, int exit) {
  std::cerr << code << ": " << error.what() << '\n';
  return exit;
}

int run(int argc, char** argv) {
  chat::ctl::Context context;
  CLI::App app("Administers mosquitto-chat's users, conversations, members, devices and schema.", "chatctl");
  app.set_version_flag("--version", CHAT_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // lets the options below stand behind the subcommand as well
  auto* const file = app.add_option("--postgres-file", context.uri_file,
                                    "A file whose first line is PostgreSQL's connection URI; without it, CHAT_PG of "
                                    "the environment")
                         ->type_name("FILE");
  app.add_option("--postgres", context.given_uri,
                 "The same URI; everybody on this machine can read it in the process list, so no password in it")
      ->type_name("URI")
      ->excludes(file);
  app.add_flag("--json", context.json, "Print JSON instead of tables and lines");
  chat::ctl::add_user_commands(app, context);
  chat::ctl::add_conversation_commands(app, context);
  chat::ctl::add_member_commands(app, context);
  chat::ctl::add_device_commands(app, context);
  chat::ctl::add_role_commands(app, context);
  chat::ctl::add_schema_commands(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const chat::StoreRefused& error) {
    return complain(error.code(), error, kRefused);
  } catch (const chat::StoreCorrupt& error) {
    return complain("corrupt", error, kRefused);
  } catch (const chat::StoreError& error) {
    return complain("unavailable", error, kUnavailable);
  } catch (const std::exception& error) {
    return complain("error", error, kRefused);
  }
}
