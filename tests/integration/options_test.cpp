// A bad option stops the broker at its start, with a sentence that names the option, its value and what is allowed.
// PostgreSQL being away does not stop it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/ports.h"
#include "tests/support/programs.h"
#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

struct OptionsStack {
  static StackOptions options() { return {.users = 10}; }
};

class Options : public StackSuite<OptionsStack> {
 protected:
  // The stack's own mosquitto.conf with other ports, another journal, and one option changed; run to its end.
  Finished start_with(const std::string& option, const std::string& value) {
    const auto folder = std::filesystem::path(stack().folder()) / "conf";
    std::ifstream original(folder / "mosquitto.conf");
    std::stringstream changed;
    for (std::string line; std::getline(original, line);) {
      if (line.rfind("listener ", 0) == 0 || line.rfind("protocol ", 0) == 0) continue;
      if (line.rfind("plugin_opt_" + option + " ", 0) == 0) continue;
      if (line.rfind("plugin_opt_journal_dir ", 0) == 0 && option != "journal_dir") {
        line = "plugin_opt_journal_dir " + stack().folder() + "/journal/of-another";
      }
      changed << line << "\n";
      if (line.rfind("plugin ", 0) == 0) changed << "plugin_opt_" << option << " " << value << "\n";
    }
    const auto path = folder / "changed.conf";
    const Port other;
    std::ofstream(path) << changed.str() << "listener " << other.number() << " 127.0.0.1\n";
    // A broker that starts nevertheless is ended after a while, and fails the test by its exit code.
    auto command = broker_command({"-c", path.string()});
    command.insert(command.begin(), {"timeout", "--signal=TERM", "20"});
    return run(command);
  }
};

TEST_F(Options, ABadValueStopsTheBrokerWithASentence) {
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"journal_max_mb", "0"},
                                                        {"journal_max_mb", "many"},
                                                        {"journal_segment_mb", "-1"},
                                                        {"journal_sync", "sometimes"},
                                                        {"acl_mode", "maybe"},
                                                        {"chat_prefix", "with/#/wildcard"},
                                                        {"max_message_bytes", "12 apples"},
                                                        {"window", "0"},
                                                        {"window", "100000"},
                                                        {"replay", "half"},
                                                        {"ack", "never"},
                                                        {"cache_mb", "-5"},
                                                        {"create_users", "perhaps"}}) {
    const auto ended = start_with(option, value);
    const auto said = ended.out + ended.err;
    EXPECT_NE(ended.code, 0) << option << " " << value;
    EXPECT_NE(ended.code, 124) << option << " " << value << " did not stop the broker";
    EXPECT_NE(said.find(option), std::string::npos) << said;
    EXPECT_NE(said.find(value), std::string::npos) << said;
  }
}

TEST_F(Options, AnUnknownOptionStopsTheBroker) {
  const auto ended = start_with("jornal_sync", "always");
  EXPECT_NE(ended.code, 0);
  EXPECT_NE(ended.code, 124);
  EXPECT_NE((ended.out + ended.err).find("jornal_sync"), std::string::npos) << ended.out << ended.err;
}

TEST_F(Options, TheJournalsFolderBelongsToOneBrokerAtATime) {
  const auto ended = start_with("journal_dir", stack().value("CHAT_JOURNAL_DIR"));
  EXPECT_NE(ended.code, 0);
  EXPECT_NE(ended.code, 124);
  EXPECT_NE((ended.out + ended.err).find(stack().value("CHAT_JOURNAL_DIR")), std::string::npos)
      << ended.out << ended.err;
}

TEST_F(Options, ThePasswordOfPostgresIsNeverLogged) {
  const auto uri = stack().pg();
  const auto password = uri.substr(uri.find(':', 15) + 1, uri.find('@') - uri.find(':', 15) - 1);
  ASSERT_GT(password.size(), 6U) << uri;
  stack().stop("postgres");
  stack().restart("broker");  // starts without PostgreSQL
  stack().start("postgres");
  const auto user = stack().new_user();
  const auto conv = stack().new_group(user);
  const auto client = device(user);
  client->sent(client->send(conv, "x"));
  const auto log = stack().broker_log_tail(100'000);
  EXPECT_NE(log.find("mosquitto"), std::string::npos);
  EXPECT_EQ(log.find(password), std::string::npos) << "the password stands in the broker's log";
}

struct OtherPrefixStack {
  static StackOptions options() { return {.plugin = {{"chat_prefix", "team/talk"}}, .users = 4}; }
};
using OtherPrefix = StackSuite<OtherPrefixStack>;

TEST_F(OtherPrefix, EverythingMovesWithIt) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  MqttClient sender(port(), {.client_id = users[0] + "-phone", .user = users[0]});
  MqttClient receiver(port(), {.client_id = users[1] + "-phone", .user = users[1]});
  for (auto* client : {&sender, &receiver}) {
    client->connect();
    EXPECT_EQ(client->subscribe("team/talk/u/" + client->options().user + "/#"), 1);
    EXPECT_EQ(client->subscribe("team/talk/#"), kNotAuthorised);
  }
  EXPECT_LT(sender.publish("team/talk/c/" + conv + "/msg", text("p-1", "x")), 0x80);
  receiver.expect("the message", [&](const Message& message) {
    return message.topic == "team/talk/u/" + users[1] + "/inbox" && field(message, "id") == "p-1";
  });
  sender.expect("the acknowledgement",
                [&](const Message& message) { return message.topic == "team/talk/u/" + users[0] + "/ack"; });
  sender.publish("team/talk/rpc/ping", std::string(R"({"id":"r-1"})"));
  sender.expect("the answer", [](const Message& message) { return field(message, "id") == "r-1"; });
}

}  // namespace
}  // namespace chat::test
