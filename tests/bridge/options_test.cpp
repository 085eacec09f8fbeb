#include "bridge/options.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/bridge/temp_folder.h"

namespace chat {
namespace {

struct Parsed {
  std::optional<ExitCode> code;
  Options options;
  std::string err;
};

Parsed parse_as_it_is(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "mosquitto-chat-bridge");
  Parsed parsed;
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  parsed.code = parse_options(static_cast<int>(arguments.size()), arguments.data(), &parsed.options);
  parsed.err = testing::internal::GetCapturedStderr();
  testing::internal::GetCapturedStdout();
  return parsed;
}

// With CHAT_PG as given, whatever the shell that runs this has.
Parsed parse_keeping_redis(std::vector<const char*> arguments, const char* chat_pg = "postgresql://environment/chat") {
  unsetenv("CHAT_PG");
  if (chat_pg != nullptr) setenv("CHAT_PG", chat_pg, 1);
  Parsed parsed = parse_as_it_is(std::move(arguments));
  unsetenv("CHAT_PG");
  return parsed;
}

Parsed parse_alone(std::vector<const char*> arguments, const char* chat_pg = nullptr) {
  unsetenv("CHAT_REDIS");
  return parse_keeping_redis(std::move(arguments), chat_pg);
}

Parsed parse(const std::vector<const char*>& arguments) {
  return parse_alone(arguments, "postgresql://environment/chat");
}

TEST(BridgeOptions, DefaultsFitABrokerOnThisMachine) {
  const Parsed parsed = parse({});
  EXPECT_EQ(parsed.code, std::nullopt);
  EXPECT_EQ(parsed.options.broker, "mqtt://127.0.0.1:1883");
  EXPECT_EQ(parsed.options.user, "chat-bridge");
  EXPECT_EQ(parsed.options.prefix, "chat");
  EXPECT_TRUE(parsed.options.client_id.starts_with("mosquitto-chat-bridge-")) << parsed.options.client_id;
  EXPECT_NE(parsed.options.client_id.find("-" + std::to_string(getpid()) + "-"), std::string::npos)
      << parsed.options.client_id;
  EXPECT_NE(parsed.options.client_id, parse({}).options.client_id) << "nobody guesses it";
}

TEST(BridgeOptions, ReachTheLink) {
  const Parsed parsed = parse({"--broker", "mqtt://[::1]:7", "--user", "u", "--prefix", "a/b", "--client-id", "c"});
  ASSERT_EQ(parsed.code, std::nullopt) << parsed.err;
  const LinkOptions link = link_options(parsed.options);
  EXPECT_EQ(link.broker, "mqtt://[::1]:7");
  EXPECT_EQ(link.user, "u");
  EXPECT_EQ(link.filter, "a/b/rpc/#");
  EXPECT_EQ(link.client_id, "c");
}

TEST(BridgeOptions, ReachTheCommands) {
  const CommandRules standard = command_rules(parse({}).options);
  EXPECT_EQ(standard.recall_window, 120'000);
  EXPECT_FALSE(standard.keep_recalled);
  EXPECT_EQ(standard.message_bytes_max, 65'536U);
  const Parsed parsed = parse({"--recall-window", "7", "--keep-recalled", "--max-message-bytes", "1000"});
  ASSERT_EQ(parsed.code, std::nullopt) << parsed.err;
  const CommandRules rules = command_rules(parsed.options);
  EXPECT_EQ(rules.recall_window, 7'000);
  EXPECT_TRUE(rules.keep_recalled);
  EXPECT_EQ(rules.message_bytes_max, 1'000U);
  EXPECT_EQ(parse({"--recall-window", "-1"}).code, kBadOptions);
  EXPECT_EQ(parse({"--max-message-bytes", "255"}).code, kBadOptions);
}

TEST(BridgeOptions, RequireContactIsOffUnlessItIsAskedFor) {
  EXPECT_FALSE(parse({}).options.require_contact);
  EXPECT_TRUE(parse({"--require-contact"}).options.require_contact);
}

TEST(BridgeOptions, AGroupsSizeHasABound) {
  EXPECT_EQ(parse({}).options.max_members, 5000);
  EXPECT_EQ(parse({"--max-members", "2"}).options.max_members, 2);
  EXPECT_EQ(parse({"--max-members", "1"}).code, kBadOptions);
  EXPECT_EQ(parse({"--standings-from", "0"}).options.standings_from, 0U);
  EXPECT_EQ(parse({"--standings-from", "-1"}).code, kBadOptions);
}

TEST(BridgeOptions, AUsersGroupsAndAMessagesReactionsHaveBounds) {
  const auto usual = parse({}).options;
  EXPECT_EQ(usual.max_groups, 10'000);
  EXPECT_EQ(command_rules(usual).user_reactions_max, CommandRules{}.user_reactions_max);
  EXPECT_EQ(command_rules(usual).reactions_max, CommandRules{}.reactions_max);
  const auto given = parse({"--max-groups", "7", "--max-user-reactions", "3", "--max-reactions", "9"}).options;
  EXPECT_EQ(given.max_groups, 7);
  EXPECT_EQ(command_rules(given).user_reactions_max, 3U);
  EXPECT_EQ(command_rules(given).reactions_max, 9U);
  for (const auto* name : {"--max-groups", "--max-user-reactions", "--max-reactions"}) {
    EXPECT_EQ(parse({name, "0"}).code, kBadOptions) << name;
    EXPECT_EQ(parse({name, "1000001"}).code, kBadOptions) << name;
  }
}

TEST(BridgeOptions, TheFileThatOperatorsCopyNamesOnlyWhatThereIs) {
  std::ifstream given(CHAT_TEST_SOURCE_DIR "/conf/bridge.toml");
  const test::TempFolder folder;
  const auto path = folder.path("bridge.toml");
  {
    std::ofstream kept(path);
    for (std::string line; std::getline(given, line);) {
      if (line.find("-file") == std::string::npos) kept << line << "\n";  // these files are not here
    }
  }
  const Parsed parsed = parse({"--config", path.c_str()});
  ASSERT_EQ(parsed.code, std::nullopt) << parsed.err;
  EXPECT_EQ(parsed.options.recall_window, 120);
  EXPECT_EQ(parsed.options.standings_from, Options().standings_from);
  EXPECT_FALSE(parsed.options.keep_recalled);
  EXPECT_FALSE(parsed.options.require_contact);
}

TEST(BridgeOptions, WrongValuesAreRefusedWithOptionAndValue) {
  const std::vector<std::pair<const char*, const char*>> wrong = {
      {"--broker", "localhost"},
      {"--broker", "tcp://localhost"},
      {"--broker", "mqtt://"},
      {"--broker", "mqtt://host:0"},
      {"--broker", "mqtt://host:65536"},
      {"--broker", "mqtt://host:"},
      {"--broker", "mqtt://host:12x"},
      {"--broker", "mqtt://u:p@host"},
      {"--broker", "mqtt://::1"},
      {"--user", "a/b"},
      {"--prefix", "chat/#"},
      {"--client-id", "a+b"},
      {"--log-level", "loud"},
      {"--password-file", "/nonexistent/file"},
      {"--postgres-file", "/nonexistent/file"},
      {"--redis", "127.0.0.1:6379"},
      {"--redis-file", "/nonexistent/file"},
  };
  for (const auto& [option, value] : wrong) {
    const Parsed parsed = parse({option, value});
    EXPECT_EQ(parsed.code, kBadOptions) << option << " " << value;
    EXPECT_NE(parsed.err.find(option), std::string::npos) << parsed.err;
    EXPECT_NE(parsed.err.find(value), std::string::npos) << parsed.err;
  }
  EXPECT_EQ(parse({"--what"}).code, kBadOptions);
}

TEST(BridgeOptions, PostgresIsWhatTheCommandLineSaysThenTheFileThenTheEnvironment) {
  const test::TempFolder folder;
  const std::string path = folder.path("uri");
  std::ofstream(path) << "postgresql://file/chat\n";
  EXPECT_EQ(parse({}).options.postgres, "postgresql://environment/chat");
  EXPECT_EQ(parse({"--postgres-file", path.c_str()}).options.postgres, "postgresql://file/chat");
  EXPECT_EQ(parse({"--postgres", "postgresql://line/chat"}).options.postgres, "postgresql://line/chat");
  EXPECT_EQ(parse({"--postgres", "postgresql://line/chat", "--postgres-file", path.c_str()}).code, kBadOptions);
  const Parsed none = parse_alone({});
  EXPECT_EQ(none.code, kBadOptions);
  EXPECT_NE(none.err.find("--postgres"), std::string::npos) << none.err;
  const Parsed unreadable = parse_alone({}, "postgresql://chat:x/canary@host/chat");
  EXPECT_EQ(unreadable.code, kBadOptions);
  EXPECT_NE(unreadable.err.find("can't be read"), std::string::npos) << unreadable.err;
  EXPECT_EQ(unreadable.err.find("canary"), std::string::npos) << unreadable.err;
}

TEST(BridgeOptions, RedisIsWhatTheCommandLineSaysThenTheFileThenTheEnvironmentAndMayBeNone) {
  const test::TempFolder folder;
  const std::string path = folder.path("uri");
  std::ofstream(path) << "redis://file\n";
  EXPECT_EQ(parse({}).options.redis, "");
  EXPECT_EQ(parse({"--redis-file", path.c_str()}).options.redis, "redis://file");
  EXPECT_EQ(parse({"--redis", "redis://line", "--redis-file", path.c_str()}).code, kBadOptions);
  setenv("CHAT_REDIS", "unix:///environment", 1);
  EXPECT_EQ(parse_keeping_redis({}).options.redis, "unix:///environment");
  EXPECT_EQ(parse_keeping_redis({"--redis", "redis://line"}).options.redis, "redis://line");
  setenv("CHAT_REDIS", "redis://:secret@host:0", 1);
  const Parsed wrong = parse_keeping_redis({});
  unsetenv("CHAT_REDIS");
  EXPECT_EQ(wrong.code, kBadOptions);
  EXPECT_NE(wrong.err.find("CHAT_REDIS"), std::string::npos) << wrong.err;
  EXPECT_EQ(wrong.err.find("secret"), std::string::npos) << wrong.err;
}

TEST(BridgeOptions, HelpAndVersionEndWell) {
  EXPECT_EQ(parse({"--help"}).code, kEnded);
  EXPECT_EQ(parse({"--version"}).code, kEnded);
}

TEST(BridgeOptions, AFileSetsWhatTheCommandLineDoesNot) {
  const test::TempFolder folder;
  const std::string path = folder.path("bridge.toml");
  std::ofstream(path) << "broker = \"mqtt://other:1884\"\nprefix = \"talk\"\n";
  const Parsed parsed = parse({"--config", path.c_str(), "--prefix", "chat2"});
  ASSERT_EQ(parsed.code, std::nullopt) << parsed.err;
  EXPECT_EQ(parsed.options.broker, "mqtt://other:1884");
  EXPECT_EQ(parsed.options.prefix, "chat2");
}

TEST(BridgeOptions, AFileWithAWrongLineIsRefused) {
  const test::TempFolder folder;
  const std::string path = folder.path("bridge.toml");
  std::ofstream(path) << "brokker = \"mqtt://other:1884\"\n";
  EXPECT_EQ(parse({"--config", path.c_str()}).code, kBadOptions);
  std::ofstream(path) << "log-level = \"loud\"\n";
  EXPECT_EQ(parse({"--config", path.c_str()}).code, kBadOptions);
  EXPECT_EQ(parse({"--config", folder.path("missing").c_str()}).code, kBadOptions);
}

}  // namespace
}  // namespace chat
