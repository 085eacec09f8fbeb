#include "bridge/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <random>
#include <stdexcept>

#include "bridge/mqtt/broker_uri.h"
#include "bridge/rpc/topics.h"
#include "bridge/version.h"
#include "storage/names.h"
#include "storage/postgres_uri.h"
#include "storage/redis/redis_uri.h"
#include "storage/secret_file.h"

namespace chat {
namespace {

constexpr int kRecallWindowMax = 10 * 365 * 24 * 3600;  // seconds

constexpr char kFooter[] =
    "Every option may stand in the --config file as a line such as  broker = \"mqtt://127.0.0.1:1883\".\n"
    "It runs until SIGTERM or SIGINT, and reconnects by itself. Exit codes: 0 ended by one of these signals,\n"
    "1 an internal error (see the log), 2 a wrong option or configuration file.";

// Validators answer an empty text, or what is wrong.
std::string check_broker(const std::string& uri) {
  try {
    parse_broker_uri(uri);
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

std::string check_user(const std::string& user) {
  return valid_user_name(user) ? std::string()
                               : "'" + user + "' is no user name: 1 to 64 bytes of A-Z a-z 0-9 . _ @ - are allowed";
}

std::string check_prefix(const std::string& prefix) {
  return valid_prefix(prefix)
             ? std::string()
             : "'" + prefix + "' is no topic prefix; it must look like chat or acme/chat, without + or #";
}

std::string check_client_id(const std::string& id) {
  return publishable(id) ? std::string() : "'" + id + "' is no client id; it must be UTF-8 text without + or #";
}

std::string check_secret_file(const std::string& path) {
  try {
    read_secret(path);
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string check_redis(const std::string& uri) {
  try {
    parse_redis_uri(uri);
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

// One of the three names the database; what is nearest to the command line counts.
std::string where_it_is(const std::string& given, const std::string& file, const char* variable) {
  if (!given.empty()) return given;
  if (!file.empty()) return read_secret(file);
  const char* const environment = std::getenv(variable);
  return environment != nullptr ? environment : "";
}

// With something that nobody guesses: who takes over the bridge's client id sends it away meanwhile.
std::string default_client_id() {
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0 || !publishable(host)) host[0] = '\0';
  std::random_device chance;
  return "mosquitto-chat-bridge-" + std::string(host[0] == '\0' ? "unknown" : host) + "-" + std::to_string(getpid()) +
         "-" + std::to_string(chance()) + std::to_string(chance());
}

}  // namespace

std::optional<ExitCode> parse_options(int argc, const char* const* argv, Options* options) {
  options->client_id = default_client_id();
  CLI::App app(
      "Answers the requests of mosquitto-chat's clients and applies their recalls, edits and reactions: the part "
      "beside "
      "the broker.",
      "mosquitto-chat-bridge");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string(kVersion));
  app.option_defaults()->always_capture_default();
  app.add_option("--broker", options->broker, "The broker's address")
      ->type_name("mqtt://HOST[:PORT]")
      ->check(CLI::Validator(check_broker, ""));
  app.add_option("--user", options->user, "The broker's user to connect as: the plugin's bridge_user")
      ->type_name("NAME")
      ->check(CLI::Validator(check_user, ""));
  app.add_option("--password-file", options->password_file,
                 "A file whose first line is that user's password; read again at each connect")
      ->type_name("FILE")
      ->check(CLI::Validator(check_secret_file, ""));
  std::string postgres_file;
  auto* const postgres =
      app.add_option("--postgres", options->postgres,
                     "PostgreSQL, where the plugin keeps the messages; everybody on this machine can read it in the "
                     "process list, so no password in it. Without it and the next, CHAT_PG of the environment")
          ->type_name("URI");
  app.add_option("--postgres-file", postgres_file,
                 "A file whose first line is that URI: it keeps a password out of the process list")
      ->type_name("FILE")
      ->check(CLI::Validator(check_secret_file, ""))
      ->excludes(postgres);
  std::string redis_file;
  auto* const redis =
      app.add_option(
             "--redis", options->redis,
             "Redis, where others can read who is here, and which spares PostgreSQL users with "
             "many conversations; without it, the next, and CHAT_REDIS "
             "of the environment, the bridge works alike, from PostgreSQL alone. A password belongs into the file")
          ->type_name("URI")
          ->check(CLI::Validator(check_redis, ""));
  app.add_option("--redis-file", redis_file, "A file whose first line is that URI")
      ->type_name("FILE")
      ->check(CLI::Validator(check_secret_file, ""))
      ->excludes(redis);
  app.add_option("--prefix", options->prefix, "The first level of the chat's topics: the plugin's chat_prefix")
      ->type_name("TOPIC")
      ->check(CLI::Validator(check_prefix, ""));
  app.add_option("--client-id", options->client_id, "The MQTT client id; two bridges must not share one")
      ->type_name("ID")
      ->check(CLI::Validator(check_client_id, ""));
  app.add_option("--recall-window", options->recall_window, "Seconds in which a user may recall a message of their own")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, kRecallWindowMax));
  app.add_flag("--keep-recalled", options->keep_recalled, "Keep the texts of recalled messages in recalled_messages");
  app.add_option("--max-message-bytes", options->max_message_bytes,
                 "What an edited message may have: the plugin's max_message_bytes")
      ->type_name("BYTES")
      ->check(CLI::Range(256, 1 << 20));
  app.add_option("--max-members", options->max_members,
                 "How many members users may bring into a group; chatctl may exceed it")
      ->type_name("USERS")
      ->check(CLI::Range(2, 1'000'000));
  app.add_option("--max-groups", options->max_groups,
                 "How many groups one user may make or be brought into by others; chatctl may exceed it")
      ->type_name("GROUPS")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--max-user-reactions", options->max_user_reactions,
                 "How many different reactions one user may give one message")
      ->type_name("EMOJIS")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--max-reactions", options->max_reactions,
                 "How many different reactions one message takes of all users together")
      ->type_name("EMOJIS")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--standings-from", options->standings_from,
                 "How many conversations a user must be in for Redis to keep how they stand in each")
      ->type_name("CONVERSATIONS")
      ->check(CLI::Range(0, 1'000'000));
  app.add_flag("--require-contact", options->require_contact,
               "Make direct conversations between contacts only: the plugin's require_contact");
  app.add_option("--log-level", options->log_level, "How much goes to standard error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.set_config("--config", "", "A file with any of these options (TOML or INI)");
  app.allow_config_extras(CLI::config_extras_mode::error);
  try {
    app.parse(argc, argv);
    options->postgres = where_it_is(options->postgres, postgres_file, "CHAT_PG");
    options->redis = where_it_is(options->redis, redis_file, "CHAT_REDIS");
    if (options->postgres.empty()) {
      throw CLI::RequiredError("--postgres, --postgres-file or CHAT_PG with a libpq connection URI");
    }
    if (const auto fault = postgres_uri_fault(options->postgres); !fault.empty()) {
      throw CLI::ValidationError("--postgres, --postgres-file or CHAT_PG", "PostgreSQL's connection URI " + fault);
    }
    // What came from a file or the environment is checked like what came from the command line.
    if (!options->redis.empty() && !check_redis(options->redis).empty()) {
      throw CLI::ValidationError("--redis, --redis-file or CHAT_REDIS", check_redis(options->redis));
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kEnded : kBadOptions;
  }
  return std::nullopt;
}

LinkOptions link_options(const Options& options) {
  LinkOptions link;
  link.broker = options.broker;
  link.client_id = options.client_id;
  link.user = options.user;
  link.password_file = options.password_file;
  link.filter = request_filter(options.prefix);
  return link;
}

CommandRules command_rules(const Options& options) {
  return {.recall_window = TimeMs{options.recall_window} * 1000,
          .keep_recalled = options.keep_recalled,
          .message_bytes_max = options.max_message_bytes,
          .user_reactions_max = static_cast<std::size_t>(options.max_user_reactions),
          .reactions_max = static_cast<std::size_t>(options.max_reactions)};
}

}  // namespace chat
