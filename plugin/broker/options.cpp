#include "plugin/broker/options.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>

#include "plugin/core/refusal.h"
#include "plugin/core/topic.h"
#include "storage/names.h"
#include "storage/postgres_uri.h"

namespace chat {
namespace {

constexpr std::size_t kClaimBytesMax = 255;

std::optional<std::int64_t> number(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size() || value < least || value > most)
    return std::nullopt;
  return value;
}

// A setter for a whole number within bounds.
template <typename Assign>
auto whole(std::int64_t least, std::int64_t most, Assign assign) {
  return [=](std::string_view text, Options* options) {
    const auto value = number(text, least, most);
    if (value) assign(*value, options);
    return value.has_value();
  };
}

// A setter for one of a few words.
template <typename Value, typename Assign>
auto one_of(std::vector<std::pair<std::string_view, Value>> words, Assign assign) {
  return [words = std::move(words), assign](std::string_view text, Options* options) {
    const auto found = std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.first == text; });
    if (found == words.end()) return false;
    assign(found->second, options);
    return true;
  };
}

bool set_sync(std::string_view text, Options* options) {
  auto& journal = options->journal;
  if (text == "always") {
    journal.sync = JournalOptions::Sync::kAlways;
    return true;
  }
  if (text == "never") {
    journal.sync = JournalOptions::Sync::kNever;
    return true;
  }
  if (!text.ends_with("ms")) return false;
  const auto interval = number(text.substr(0, text.size() - 2), 1, 60'000);
  if (!interval) return false;
  journal.sync = JournalOptions::Sync::kInterval;
  journal.interval = std::chrono::milliseconds(*interval);
  return true;
}

bool set_refusals(std::string_view text, Options* options) {
  const auto value = parse_rate(text);
  if (value) options->hub.rates.refusals = *value;
  return value.has_value();
}

// A setter for one rate of one allowance.
auto rate(Allowance RateLimits::*whose, Rate Allowance::*what) {
  return [=](std::string_view text, Options* options) {
    const auto value = parse_rate(text);
    if (value) options->hub.rates.*whose.*what = *value;
    return value.has_value();
  };
}

constexpr std::string_view kRateAllowed =
    "off, or a rate such as 50/s or 50/s burst 200, with whole numbers from 1 to 1000000000";

bool set_prefix(std::string_view text, Options* options) {
  options->hub.prefix = text;
  return TopicSpace::valid_prefix(text);
}

bool set_bridge_user(std::string_view text, Options* options) {
  options->hub.bridge_user = text;
  return valid_user_name(text);
}

bool set_journal_dir(std::string_view text, Options* options) {
  options->journal.folder = text;
  return text.starts_with('/');
}

bool set_uri(std::string_view text, Options* options) {
  options->postgres_uri = text;
  return !text.empty();
}

bool set_uri_file(std::string_view text, Options* options) {
  options->postgres_uri_file = text;
  return text.starts_with('/');
}

// A setter for the one file that holds the keys for tokens.
auto key_file(KeySource::Kind kind) {
  return [kind](std::string_view text, Options* options) {
    options->auth.keys = {.kind = kind, .path = std::string(text)};
    return text.starts_with('/');
  };
}

bool set_issuer(std::string_view text, Options* options) {
  options->auth.rules.issuer = text;
  return !text.empty() && text.size() <= kClaimBytesMax;
}

bool set_audience(std::string_view text, Options* options) {
  options->auth.rules.audience = text;
  return !text.empty() && text.size() <= kClaimBytesMax;
}

std::vector<OptionRow> make_table() {
  return {
      {"chat_prefix", "chat", "one or more topic levels without wildcards, at most 64 bytes",
       "The topics of this plugin are those below this prefix.", set_prefix},
      {"postgres_uri", "", "a libpq connection URI or keyword string",
       "Where the messages are kept. Give it in postgres_uri_file where it holds a password.", set_uri},
      {"postgres_uri_file", "", "an absolute path to a file whose first line is the URI",
       "The same, kept out of the broker's configuration.", set_uri_file},
      {"journal_dir", "/var/lib/mosquitto/chat-journal", "an absolute path; its parent folder exists",
       "The folder of the journal, on a local disk. One broker's own.", set_journal_dir},
      {"journal_sync", "100ms", "always, never, or an interval such as 100ms (1ms to 60000ms)",
       "When accepted messages are forced onto the disk: what a power cut may cost.", set_sync},
      {"journal_max_mb", "1024", "a whole number from 1 to 1048576",
       "How much the journal may hold while PostgreSQL is away; beyond, publishes are refused with storage_full.",
       whole(1, 1'048'576,
             [](auto value, Options* o) { o->journal.bytes_max = static_cast<std::uint64_t>(value) << 20; })},
      {"journal_segment_mb", "64", "a whole number from 1 to 1024",
       "The journal is trimmed by whole files of this size.",
       whole(1, 1024,
             [](auto value, Options* o) { o->journal.segment_bytes = static_cast<std::uint64_t>(value) << 20; })},
      {"acl_mode", "defer", "defer, allow or ignore",
       "Who decides about topics outside the prefix: the broker's other rules (defer), nobody (allow), or as if this "
       "plugin were "
       "absent (ignore: Mosquitto 2.1 and later).",
       one_of<AclMode>({{"defer", AclMode::kDefer}, {"allow", AclMode::kAllow}, {"ignore", AclMode::kIgnore}},
                       [](AclMode mode, Options* o) { o->acl_mode = mode; })},
      {"bridge_user", "chat-bridge", "a user name", "The MQTT user as which the bridge connects; it can't chat.",
       set_bridge_user},
      {"create_users", "true", "true or false",
       "Whether a user whom the broker authenticated is recorded at first sight, or has to be added with chatctl.",
       one_of<bool>({{"true", true}, {"false", false}},
                    [](bool create, Options* o) { o->answers.create_users = create; })},
      {"jwt_key_file", "", "an absolute path to a file with public keys in PEM",
       "Users may log in with a token (JWT) as their password, signed with one of these keys: RS256, ES256 or EdDSA.",
       key_file(KeySource::Kind::kPublicKeys)},
      {"jwt_secret_file", "", "an absolute path to a file whose first line is a secret of 32 bytes or more",
       "The same, with tokens signed with a shared secret: HS256.", key_file(KeySource::Kind::kSecret)},
      {"jwt_jwks_file", "", "an absolute path to a file with a JSON Web Key Set",
       "The same, with the keys as identity providers publish them.", key_file(KeySource::Kind::kJwks)},
      {"jwt_issuer", "", "a text of 1 to 255 bytes", "What a token's iss must be.", set_issuer},
      {"jwt_audience", "", "a text of 1 to 255 bytes", "What a token's aud must be, or hold.", set_audience},
      {"jwt_leeway_s", "5", "a whole number from 0 to 300",
       "By how many seconds the clocks of this machine and of who signs tokens may differ.",
       whole(0, 300, [](auto value, Options* o) { o->auth.rules.leeway_ms = value * 1000; })},
      {"max_message_bytes", "65536", "a whole number from 256 to 1048576",
       "The largest message that is accepted, as published.",
       whole(256, 1'048'576,
             [](auto value, Options* o) { o->hub.message_bytes_max = static_cast<std::size_t>(value); })},
      {"rate_messages_per_user", "off", kRateAllowed,
       "Messages, recalls, edits and reactions that one user may send; beyond, refused with rate_limited.",
       rate(&RateLimits::user, &Allowance::messages)},
      {"rate_messages_per_device", "off", kRateAllowed,
       "Messages, recalls, edits and reactions that one device may send; beyond, refused with rate_limited.",
       rate(&RateLimits::device, &Allowance::messages)},
      {"rate_requests_per_user", "off", kRateAllowed,
       "Requests, subscriptions and chat/sync that one user may send; beyond, refused with rate_limited.",
       rate(&RateLimits::user, &Allowance::requests)},
      {"rate_requests_per_device", "off", kRateAllowed,
       "Requests, subscriptions and chat/sync that one device may send; beyond, refused with rate_limited.",
       rate(&RateLimits::device, &Allowance::requests)},
      {"rate_signs_per_user", "off", kRateAllowed,
       "Acknowledgements and typing that one user may send; beyond, refused with rate_limited.",
       rate(&RateLimits::user, &Allowance::signs)},
      {"rate_signs_per_device", "off", kRateAllowed,
       "Acknowledgements and typing that one device may send; beyond, refused with rate_limited.",
       rate(&RateLimits::device, &Allowance::signs)},
      {"rate_bytes_per_user", "off", kRateAllowed,
       "Bytes of all payloads that one user may send; beyond, refused with rate_limited.",
       rate(&RateLimits::user, &Allowance::bytes)},
      {"rate_bytes_per_device", "off", kRateAllowed,
       "Bytes of all payloads that one device may send; beyond, refused with rate_limited.",
       rate(&RateLimits::device, &Allowance::bytes)},
      {"rate_refusals_per_user", "off", kRateAllowed,
       "How often the bounds above may refuse one user; a device that goes on beyond is told and disconnected.",
       set_refusals},
      {"max_devices", "0", "a whole number from 0 to 10000",
       "Devices of one user that may be connected; 0: any number.",
       whole(0, 10'000, [](auto value, Options* o) { o->hub.max_devices = static_cast<std::size_t>(value); })},
      {"max_devices_action", "kick_oldest", "kick_oldest or refuse",
       "What becomes of one device more: the one that has been connected longest is disconnected, or the new one is "
       "refused.",
       one_of<TooManyDevices>({{"kick_oldest", TooManyDevices::kKickOldest}, {"refuse", TooManyDevices::kRefuse}},
                              [](TooManyDevices action, Options* o) { o->hub.too_many_devices = action; })},
      {"require_contact", "false", "true or false",
       "Whether direct messages are taken between contacts only. The bridge's --require-contact says the same.",
       one_of<bool>({{"true", true}, {"false", false}},
                    [](bool require, Options* o) {
                      o->hub.require_contact = require;
                      o->answers.require_contact = require;
                    })},
      {"window", "100", "a whole number from 1 to 500",
       "How many messages may be on their way to a device that has not acknowledged them.",
       whole(1, 500, [](auto value, Options* o) { o->hub.outflow.window = static_cast<int>(value); })},
      {"replay", "full", "full or newest",
       "What a device that was away gets: everything, or the newest of each conversation.",
       one_of<Replay>({{"full", Replay::kFull}, {"newest", Replay::kNewest}},
                      [](Replay replay, Options* o) { o->hub.outflow.replay = replay; })},
      {"replay_limit", "99", "a whole number from 1 to 10000", "With replay newest: how many of each conversation.",
       whole(1, 10'000, [](auto value, Options* o) { o->hub.outflow.replay_limit = static_cast<int>(value); })},
      {"ack", "client", "client or auto",
       "Whether devices acknowledge what they have, or handing over counts as delivered.",
       one_of<AckMode>({{"client", AckMode::kClient}, {"auto", AckMode::kAuto}},
                       [](AckMode ack, Options* o) { o->hub.outflow.ack = ack; })},
      {"auto_rate", "200", "a whole number from 1 to 100000",
       "Messages per second to a device that does not acknowledge, beyond a first burst of 500.",
       whole(1, 100'000, [](auto value, Options* o) { o->hub.outflow.auto_rate = static_cast<int>(value); })},
      {"cache_mb", "256", "a whole number from 1 to 65536",
       "Memory for conversations and senders in use: about 0.6 KB a conversation, 32 bytes a member, 0.2 KB a "
       "remembered id.",
       whole(1, 65'536, [](auto value, Options* o) { o->hub.cache_bytes = static_cast<std::size_t>(value) << 20; })},
      {"hot_tail_mb", "64", "a whole number from 1 to 65536",
       "Memory for the latest messages, from which devices that are a little behind are served without PostgreSQL.",
       whole(1, 65'536, [](auto value, Options* o) { o->hub.tail_bytes = static_cast<std::size_t>(value) << 20; })},
      {"recent_ids", "256", "a whole number from 1 to 100000",
       "How many of each sender's latest message ids are remembered: within them a retry gets the same seq.",
       whole(1, 100'000,
             [](auto value, Options* o) {
               o->hub.recent_ids = static_cast<std::size_t>(value);
               o->answers.recent_ids = static_cast<int>(value);
             })},
      {"commit_interval_ms", "40", "a whole number from 0 to 10000",
       "Under load, how far apart transactions are begun.",
       whole(0, 10'000, [](auto value, Options* o) { o->persister.commit_interval_ms = static_cast<int>(value); })},
      {"receipt_push_members", "50", "a whole number from 0 to 1000",
       "Receipts are pushed in direct conversations and in groups of up to so many members; in larger ones they are "
       "asked "
       "for.",
       whole(0, 1000, [](auto value, Options* o) { o->persister.receipt_push_members = static_cast<int>(value); })},
      {"batch_messages", "4000", "a whole number from 1 to 100000", "The largest batch that is committed at once.",
       whole(1, 100'000, [](auto value, Options* o) { o->persister.batch_records = static_cast<std::size_t>(value); })},
  };
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Never shows the URI, which may hold a password.
std::string wrong_uri(const std::string& option, const Options& options) {
  const auto fault = postgres_uri_fault(options.postgres_uri);
  return fault.empty() ? fault : option + " " + fault + ".";
}

std::string read_uri_file(Options* options) {
  std::ifstream file(options->postgres_uri_file);
  std::string line;
  if (!file || !std::getline(file, line) || trimmed(line).empty()) {
    return "plugin_opt_postgres_uri_file " + in_quotes(options->postgres_uri_file) +
           " can't be read or is empty: it must be a file whose first line is the URI.";
  }
  options->postgres_uri = trimmed(line);
  return wrong_uri("The URI in plugin_opt_postgres_uri_file " + in_quotes(options->postgres_uri_file), *options);
}

// What is wrong with what was given of the options for tokens; empty: nothing.
std::string check_token_options(const GivenOptions& given) {
  std::vector<std::string> files;
  std::string rule;
  for (const auto& [name, value] : given) {
    const bool file = name == "jwt_key_file" || name == "jwt_secret_file" || name == "jwt_jwks_file";
    if (file) files.push_back("plugin_opt_" + name);
    if (name == "jwt_issuer" || name == "jwt_audience") rule = "plugin_opt_" + name;
  }
  if (files.size() > 1) return files[0] + " and " + files[1] + " are both given: all keys come from one file.";
  if (files.empty() && !rule.empty())
    return rule + " is given without keys: plugin_opt_jwt_key_file, _jwt_secret_file or _jwt_jwks_file names them.";
  return {};
}

}  // namespace

std::span<const OptionRow> option_table() {
  static const std::vector<OptionRow> table = make_table();
  return table;
}

std::string read_options(const GivenOptions& given, Options* options) {
  const auto table = option_table();
  for (const auto& row : table) {
    if (!row.fallback.empty() && !row.set(row.fallback, options))
      return "The default of " + std::string(row.name) + " is not allowed.";
  }
  for (const auto& option : given) {
    const auto& name = option.first;
    const auto value = trimmed(option.second);  // the broker hands trailing blanks through
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const OptionRow& entry) { return entry.name == name; });
    if (row == table.end()) return "plugin_opt_" + name + " is not an option of mosquitto-chat.";
    if (!row->set(value, options)) {
      const bool secret = row->name == "postgres_uri";
      return "plugin_opt_" + name + " " + (secret ? "(not shown)" : in_quotes(value)) + " must be " +
             std::string(row->allowed) + ".";
    }
  }
  options->auth.rules.never_user = options->hub.bridge_user;
  if (auto why = check_token_options(given); !why.empty()) return why;
  if (!options->postgres_uri.empty() && !options->postgres_uri_file.empty()) {
    return "plugin_opt_postgres_uri and plugin_opt_postgres_uri_file are both given: one of them is enough.";
  }
  if (!options->postgres_uri_file.empty()) return read_uri_file(options);
  if (options->postgres_uri.empty())
    return "plugin_opt_postgres_uri or plugin_opt_postgres_uri_file must be given: a libpq connection URI.";
  return wrong_uri("plugin_opt_postgres_uri", *options);
}

}  // namespace chat
