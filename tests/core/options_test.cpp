// The options: each row's default, bounds and sentence; and the conf file that operators get, held against the table.
#include "plugin/broker/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>

namespace chat {
namespace {

constexpr const char* kUri = "postgresql://chat:hunter2@db/chat";

std::string read(GivenOptions given, Options* options) {
  given.emplace_back("postgres_uri", kUri);
  return read_options(given, options);
}

TEST(OptionsTest, WithoutAnythingGivenTheDefaultsAreThoseOfTheStructs) {
  Options options;
  ASSERT_EQ(read({}, &options), "");
  const HubOptions hub;
  EXPECT_EQ(options.hub.prefix, hub.prefix);
  EXPECT_EQ(options.hub.bridge_user, hub.bridge_user);
  EXPECT_EQ(options.hub.message_bytes_max, hub.message_bytes_max);
  EXPECT_EQ(options.hub.cache_bytes, hub.cache_bytes);
  EXPECT_EQ(options.hub.tail_bytes, hub.tail_bytes);
  EXPECT_EQ(options.hub.recent_ids, hub.recent_ids);
  EXPECT_EQ(options.hub.outflow.window, hub.outflow.window);
  EXPECT_EQ(options.hub.outflow.auto_rate, hub.outflow.auto_rate);
  EXPECT_EQ(options.hub.outflow.replay, hub.outflow.replay);
  EXPECT_EQ(options.hub.outflow.replay_limit, hub.outflow.replay_limit);
  EXPECT_EQ(options.hub.outflow.ack, hub.outflow.ack);
  EXPECT_EQ(options.hub.max_devices, hub.max_devices);
  EXPECT_EQ(options.hub.too_many_devices, hub.too_many_devices);
  EXPECT_FALSE(options.hub.rates.user.messages.limited());
  const JournalOptions journal;
  EXPECT_EQ(options.journal.bytes_max, journal.bytes_max);
  EXPECT_EQ(options.journal.segment_bytes, journal.segment_bytes);
  EXPECT_EQ(options.journal.sync, journal.sync);
  EXPECT_EQ(options.journal.interval, journal.interval);
  const PersisterOptions persister;
  EXPECT_EQ(options.persister.batch_records, persister.batch_records);
  EXPECT_EQ(options.persister.commit_interval_ms, persister.commit_interval_ms);
  EXPECT_EQ(options.persister.receipt_push_members, persister.receipt_push_members);
  const AnswerOptions answers;
  EXPECT_EQ(options.answers.recent_ids, answers.recent_ids);
  EXPECT_EQ(options.answers.create_users, answers.create_users);
  EXPECT_EQ(options.answers.require_contact, answers.require_contact);
  EXPECT_EQ(options.hub.require_contact, hub.require_contact);
  EXPECT_EQ(options.acl_mode, AclMode::kDefer);
  EXPECT_EQ(options.auth.keys.kind, KeySource::Kind::kNone);
  EXPECT_EQ(options.auth.rules.leeway_ms, 5000);
  EXPECT_EQ(options.postgres_uri, kUri);
}

TEST(OptionsTest, EveryDefaultIsAllowedAndEveryRowIsDescribed) {
  for (const auto& row : option_table()) {
    Options options;
    if (!row.fallback.empty()) {
      EXPECT_TRUE(row.set(row.fallback, &options)) << row.name;
    }
    EXPECT_GE(row.name.size(), 3U) << row.name << ": Mosquitto 2.0.11 takes no shorter key";
    EXPECT_GT(row.allowed.size(), 5U) << row.name;
    EXPECT_TRUE(row.sentence.ends_with('.')) << row.name;
  }
}

// The bounds as the table says them in words, tried on both sides.
TEST(OptionsTest, WholeNumbersAreHeldToTheirBoundsAndRefusalsSayOptionValueAndWhatIsAllowed) {
  const std::regex bounds("a whole number from ([0-9]+) to ([0-9]+)");
  int numbers = 0;
  for (const auto& row : option_table()) {
    const std::string allowed(row.allowed);
    std::smatch match;
    if (!std::regex_match(allowed, match, bounds)) continue;
    ++numbers;
    const auto least = std::stoll(match[1]);
    const auto most = std::stoll(match[2]);
    const std::string name(row.name);
    for (const auto value : {least, most}) {
      Options options;
      EXPECT_EQ(read({{name, std::to_string(value)}}, &options), "");
    }
    for (const auto& value : {std::to_string(least - 1), std::to_string(most + 1), std::string("many"),
                              std::string("1.5"), std::string("+5"), std::string("0x10"), std::string("5 MB"),
                              std::string(""), std::string("99999999999999999999")}) {
      Options options;
      const auto sentence = read({{name, value}}, &options);
      EXPECT_NE(sentence.find("plugin_opt_" + name), std::string::npos) << name << " " << value << ": " << sentence;
      EXPECT_NE(sentence.find("\"" + value + "\""), std::string::npos) << sentence;
      EXPECT_NE(sentence.find(allowed), std::string::npos) << sentence;
    }
  }
  EXPECT_GE(numbers, 10);
}

TEST(OptionsTest, WordsAreTakenExactly) {
  const std::map<std::string, std::vector<std::string>> words{{"acl_mode", {"defer", "allow", "ignore"}},
                                                              {"replay", {"full", "newest"}},
                                                              {"ack", {"client", "auto"}},
                                                              {"create_users", {"true", "false"}},
                                                              {"require_contact", {"true", "false"}},
                                                              {"max_devices_action", {"kick_oldest", "refuse"}},
                                                              {"journal_sync", {"always", "never", "1ms", "60000ms"}}};
  for (const auto& [name, good] : words) {
    for (const auto& value : good) {
      Options options;
      EXPECT_EQ(read({{name, value}}, &options), "") << name;
    }
    for (const auto& value : {"", "Full", "yes", "0ms", "60001ms", "100", "ms", "-5ms", "alwaysx"}) {
      Options options;
      EXPECT_NE(read({{name, value}}, &options).find("plugin_opt_" + name), std::string::npos) << name << " " << value;
    }
  }
}

// Each of the eight arrives where it belongs, and nowhere else.
TEST(OptionsTest, RatesAreTakenOrRefusedWithASentence) {
  using Place = std::pair<Allowance RateLimits::*, Rate Allowance::*>;
  const std::map<std::string, Place> places{{"rate_messages_per_user", {&RateLimits::user, &Allowance::messages}},
                                            {"rate_messages_per_device", {&RateLimits::device, &Allowance::messages}},
                                            {"rate_requests_per_user", {&RateLimits::user, &Allowance::requests}},
                                            {"rate_requests_per_device", {&RateLimits::device, &Allowance::requests}},
                                            {"rate_signs_per_user", {&RateLimits::user, &Allowance::signs}},
                                            {"rate_signs_per_device", {&RateLimits::device, &Allowance::signs}},
                                            {"rate_bytes_per_user", {&RateLimits::user, &Allowance::bytes}},
                                            {"rate_bytes_per_device", {&RateLimits::device, &Allowance::bytes}}};
  for (const auto& [given, place] : places) {
    Options options;
    ASSERT_EQ(read({{given, "50/s burst 200"}}, &options), "");
    EXPECT_EQ((options.hub.rates.*place.first.*place.second).per_second, 50) << given;
    for (const auto& [name, other] : places) {
      EXPECT_EQ((options.hub.rates.*other.first.*other.second).burst, name == given ? 200 : 0) << given << " " << name;
    }
    const auto sentence = read({{given, "50 per second"}}, &options);
    EXPECT_NE(sentence.find("plugin_opt_" + given + " \"50 per second\" must be off, or a rate such as"),
              std::string::npos)
        << sentence;
    EXPECT_FALSE(options.hub.rates.refusals.limited()) << given;
  }
}

TEST(OptionsTest, OneMayBeRefusedAnyNumberOfTimesUnlessARateSaysHowMany) {
  Options options;
  ASSERT_EQ(read({{"rate_refusals_per_user", "1000/s burst 5000"}}, &options), "");
  EXPECT_EQ(options.hub.rates.refusals.per_second, 1000);
  EXPECT_EQ(options.hub.rates.refusals.burst, 5000);
  EXPECT_FALSE(options.hub.rates.user.messages.limited());
  EXPECT_NE(read({{"rate_refusals_per_user", "often"}}, &options).find("plugin_opt_rate_refusals_per_user \"often\""),
            std::string::npos);
}

TEST(OptionsTest, WhatIsGivenArrives) {
  Options options;
  ASSERT_EQ(read({{"chat_prefix", "org/chat"},
                  {"journal_sync", "250ms"},
                  {"journal_max_mb", "2"},
                  {"journal_segment_mb", "1"},
                  {"acl_mode", "allow"},
                  {"bridge_user", "b"},
                  {"jwt_jwks_file", "/tmp/jwks.json"},
                  {"jwt_issuer", "login"},
                  {"jwt_audience", "chat"},
                  {"jwt_leeway_s", "0"},
                  {"max_message_bytes", "1000"},
                  {"window", "7"},
                  {"replay", "newest"},
                  {"replay_limit", "5"},
                  {"ack", "auto"},
                  {"auto_rate", "9"},
                  {"cache_mb", "3"},
                  {"hot_tail_mb", "4"},
                  {"recent_ids", "11"},
                  {"commit_interval_ms", "0"},
                  {"batch_messages", "13"},
                  {"create_users", "false"},
                  {"require_contact", "true"},
                  {"max_devices", "6"},
                  {"max_devices_action", "refuse"},
                  {"journal_dir", "/tmp/j  "}},
                 &options),
            "");
  EXPECT_EQ(options.hub.prefix, "org/chat");
  EXPECT_EQ(options.hub.max_devices, 6U);
  EXPECT_EQ(options.hub.too_many_devices, TooManyDevices::kRefuse);
  EXPECT_EQ(options.journal.interval.count(), 250);
  EXPECT_EQ(options.journal.bytes_max, 2U << 20);
  EXPECT_EQ(options.journal.segment_bytes, 1U << 20);
  EXPECT_EQ(options.acl_mode, AclMode::kAllow);
  EXPECT_EQ(options.hub.bridge_user, "b");
  EXPECT_EQ(options.auth.keys.kind, KeySource::Kind::kJwks);
  EXPECT_EQ(options.auth.keys.path, "/tmp/jwks.json");
  EXPECT_EQ(options.auth.rules.issuer, "login");
  EXPECT_EQ(options.auth.rules.audience, "chat");
  EXPECT_EQ(options.auth.rules.leeway_ms, 0);
  EXPECT_EQ(options.auth.rules.never_user, "b");
  EXPECT_EQ(options.hub.message_bytes_max, 1000U);
  EXPECT_EQ(options.hub.outflow.window, 7);
  EXPECT_EQ(options.hub.outflow.replay, Replay::kNewest);
  EXPECT_EQ(options.hub.outflow.replay_limit, 5);
  EXPECT_EQ(options.hub.outflow.ack, AckMode::kAuto);
  EXPECT_EQ(options.hub.outflow.auto_rate, 9);
  EXPECT_EQ(options.hub.cache_bytes, 3U << 20);
  EXPECT_EQ(options.hub.tail_bytes, 4U << 20);
  EXPECT_EQ(options.hub.recent_ids, 11U);
  EXPECT_EQ(options.answers.recent_ids, 11);
  EXPECT_EQ(options.persister.commit_interval_ms, 0);
  EXPECT_EQ(options.persister.batch_records, 13U);
  EXPECT_FALSE(options.answers.create_users);
  EXPECT_TRUE(options.answers.require_contact);
  EXPECT_TRUE(options.hub.require_contact);
  EXPECT_EQ(options.journal.folder, "/tmp/j");  // the broker hands trailing blanks through
}

TEST(OptionsTest, AnUnknownOptionIsNamed) {
  Options options;
  EXPECT_NE(read({{"windows", "5"}}, &options).find("plugin_opt_windows"), std::string::npos);
}

TEST(OptionsTest, NamesAndPathsThatCannotWorkAreRefused) {
  const std::vector<std::pair<std::string, std::string>> rows{{"chat_prefix", "a/#"},
                                                              {"chat_prefix", ""},
                                                              {"bridge_user", "no good"},
                                                              {"journal_dir", "relative"},
                                                              {"jwt_key_file", "relative"},
                                                              {"jwt_secret_file", ""},
                                                              {"jwt_jwks_file", "https://x/jwks"},
                                                              {"jwt_issuer", ""},
                                                              {"jwt_audience", std::string(256, 'x')},
                                                              {"postgres_uri_file", "relative"}};
  for (const auto& [name, value] : rows) {
    Options options;
    EXPECT_NE(read_options({{name, value}}, &options).find("plugin_opt_" + name), std::string::npos) << name;
  }
}

TEST(OptionsTest, TheKeysForTokensComeFromOneFileAndNothingIsAskedOfTokensWithoutKeys) {
  for (const auto& [given, named] : std::vector<std::pair<GivenOptions, std::string>>{
           {{{"jwt_key_file", "/a"}, {"jwt_jwks_file", "/b"}}, "plugin_opt_jwt_jwks_file are both given"},
           {{{"jwt_secret_file", "/a"}, {"jwt_key_file", "/a"}}, "plugin_opt_jwt_key_file are both given"},
           {{{"jwt_issuer", "login"}}, "plugin_opt_jwt_issuer is given without keys"},
           {{{"jwt_audience", "chat"}}, "plugin_opt_jwt_audience is given without keys"}}) {
    Options options;
    const auto sentence = read(given, &options);
    EXPECT_NE(sentence.find(named), std::string::npos) << sentence;
  }
}

TEST(OptionsTest, SecretsAreNotRepeated) {
  Options options;
  for (const auto& given : {GivenOptions{{"postgres_uri", ""}}, GivenOptions{{"postgres_url", kUri}},
                            GivenOptions{{"postgres_uri", kUri}, {"postgres_uri_file", "/x"}},
                            GivenOptions{{"postgres_uri", kUri}, {"window", "0"}},
                            GivenOptions{{"postgres_uri", "postgresql://chat:x/hunter2@host/chat"}},
                            GivenOptions{{"postgres_uri", "host=db hunter2"}}}) {
    Options read_to;
    const auto sentence = read_options(given, &read_to);
    EXPECT_NE(sentence, "");
    EXPECT_EQ(sentence.find("hunter2"), std::string::npos) << sentence;
  }
}

TEST(OptionsTest, TheUriComesFromAFilesFirstLine) {
  std::string folder = testing::TempDir() + "chat-options-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto path = folder + "/uri";
  std::ofstream(path) << "  " << kUri << " \r\nsecond line\n";
  Options options;
  EXPECT_EQ(read_options({{"postgres_uri_file", path}}, &options), "");
  EXPECT_EQ(options.postgres_uri, kUri);
  std::ofstream(path) << "\n" << kUri;
  for (const auto& bad : {path, folder + "/none", folder}) {
    Options empty;
    EXPECT_NE(read_options({{"postgres_uri_file", bad}}, &empty).find(bad), std::string::npos) << bad;
  }
  Options neither;
  EXPECT_NE(read_options({}, &neither).find("postgres_uri"), std::string::npos);
  std::filesystem::remove_all(folder);
}

// Operators read the conf file; what it shows as a default has to be one.
TEST(ConfFile, NamesEveryOptionWithItsDefaultAndNothingElse) {
  std::ifstream file(std::string(CHAT_SOURCE_DIR) + "/conf/mosquitto-chat.conf");
  ASSERT_TRUE(file);
  const std::regex line_form("(#?)plugin_opt_([a-z_]+)(?: (.*))?");
  std::map<std::string, std::string> shown;
  std::string line;
  while (std::getline(file, line)) {
    std::smatch match;
    if (!std::regex_match(line, match, line_form)) continue;
    EXPECT_TRUE(shown.emplace(match[2], match[3]).second) << line << " stands twice";
  }
  for (const auto& row : option_table()) {
    const auto found = shown.find(std::string(row.name));
    if (found == shown.end()) {
      ADD_FAILURE() << "the conf file lacks plugin_opt_" << row.name;
      continue;
    }
    if (!row.fallback.empty()) {
      EXPECT_EQ(found->second, row.fallback) << row.name;
    }
    shown.erase(found);
  }
  for (const auto& [name, value] : shown)
    ADD_FAILURE() << "the conf file has plugin_opt_" << name << ", which is no option";
}

}  // namespace
}  // namespace chat
