// The built program against a stock broker. The broker has no plugin, so the test itself wraps requests as the plugin
// would; what the plugin does with a client's publish is tested with the plugin.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/bridge/background.h"
#include "tests/bridge/bare_broker.h"
#include "tests/bridge/envelopes.h"
#include "tests/bridge/odd_brokers.h"
#include "tests/storage/private_postgres.h"
#include "tests/support/database.h"
#include "tests/support/mqtt_client.h"

namespace chat {
namespace {

using nlohmann::json;
using test::BareBroker;
using test::kMqtt311;
using test::kMqtt5;
using test::Message;
using test::MqttClient;
using test::wrapped;

class BridgeProgram : public ::testing::Test {
 protected:
  // A database of the test's own: no two tests' bridges compete.
  void SetUp() override { postgres_ = test::PrivatePostgres::shared().migrated_database(); }

  void start_broker(const std::string& acl = {}) { broker_ = std::make_unique<BareBroker>(acl); }

  void write_password(const std::string& password) {
    std::ofstream(broker_->folder().path("password")) << password << "\n";
  }

  void start_bridge(const std::string& password = test::kBridgePassword, const std::string& uri = {}) {
    write_password(password);
    bridge_ = std::make_unique<test::Background>(
        std::vector<std::string>{CHAT_BRIDGE_PROGRAM, "--broker", uri.empty() ? broker_->uri() : uri, "--password-file",
                                 broker_->folder().path("password"), "--log-level", "debug", "--postgres", postgres_},
        broker_->folder().path("bridge.log"));
  }

  void await_ready(std::size_t times = 1) { bridge_->await_log("listening on chat/rpc/#", times); }

  // A client that sees everything of alice's.
  std::unique_ptr<MqttClient> client(int protocol) {
    auto made = std::make_unique<MqttClient>(
        broker_->port(), test::ClientOptions{.client_id = "tester", .user = "tester", .protocol = protocol});
    made->connect();
    made->subscribe("chat/u/#");
    return made;
  }

  static Message answer_to(MqttClient& client, const json& id) {
    return client.expect("the answer to " + id.dump(), [&](const Message& message) {
      return message.json.is_object() && message.json.contains("id") && message.json["id"] == id;
    });
  }

  std::string postgres_;
  std::unique_ptr<BareBroker> broker_;
  std::unique_ptr<test::Background> bridge_;
};

TEST_F(BridgeProgram, AnswersPingToAnMqtt311Client) {
  start_broker();
  start_bridge();
  await_ready();
  const auto tester = client(kMqtt311);
  tester->publish("chat/rpc/ping", wrapped(R"({"id":"p1"})"));
  const Message answer = answer_to(*tester, "p1");
  EXPECT_EQ(answer.topic, "chat/u/alice/reply/phone");
  EXPECT_EQ(answer.qos, 1);
  EXPECT_FALSE(answer.retain);
  EXPECT_EQ(answer.json["ok"], true);
  EXPECT_EQ(answer.json["version"], CHAT_VERSION);
  EXPECT_GT(answer.json["server_time"].get<std::int64_t>(), 1'700'000'000'000);
}

TEST_F(BridgeProgram, AnswersAnMqtt5ClientOnItsResponseTopicWithItsCorrelationData) {
  start_broker();
  start_bridge();
  await_ready();
  const auto tester = client(kMqtt5);
  const std::string correlation("\0\x01\xfe", 3);
  tester->publish("chat/rpc/ping", wrapped(R"({"id":"p1"})"),
                  {.response_topic = "chat/u/alice/answers", .correlation_data = correlation});
  const Message answer = answer_to(*tester, "p1");
  EXPECT_EQ(answer.topic, "chat/u/alice/answers");
  EXPECT_EQ(answer.correlation_data, correlation);
}

TEST_F(BridgeProgram, RefusesAResponseTopicOfSomebodyElse) {
  start_broker();
  start_bridge();
  await_ready();
  const auto tester = client(kMqtt5);
  tester->publish("chat/rpc/ping", wrapped(R"({"id":"p1"})"),
                  {.response_topic = "chat/u/bob/inbox", .correlation_data = "c"});
  const Message answer = answer_to(*tester, "p1");
  EXPECT_EQ(answer.topic, "chat/u/alice/error");
  EXPECT_EQ(answer.json["code"], "bad_field");
  EXPECT_EQ(answer.json["topic"], "chat/rpc/ping");
  EXPECT_EQ(answer.correlation_data, "c");
}

TEST_F(BridgeProgram, RefusesWhatItCanNotCarryOut) {
  start_broker();
  start_bridge();
  await_ready();
  const auto tester = client(kMqtt311);
  tester->publish("chat/rpc/fly", wrapped(R"({"id":"u1"})"));
  EXPECT_EQ(answer_to(*tester, "u1").json["code"], "unknown_operation");
  tester->publish("chat/rpc/ping", wrapped(R"({"id":7})"));
  const Message no_id = answer_to(*tester, nullptr);
  EXPECT_EQ(no_id.topic, "chat/u/alice/reply/phone");
  EXPECT_EQ(no_id.json["code"], "bad_field");
  tester->forget();
  tester->publish("chat/rpc/ping", wrapped("{nonsense"));
  EXPECT_EQ(answer_to(*tester, nullptr).json["code"], "bad_json");
}

// Mosquitto closes the connection of whoever publishes on a topic that it finds impossible. A client chooses its client
// id and its Response Topic, and with them the bridge's topics.
TEST_F(BridgeProgram, NoClientCanMakeTheBrokerDropTheBridge) {
  start_broker();
  start_bridge();
  await_ready();
  const auto tester = client(kMqtt5);
  const std::vector<std::string> devices = {std::string(300, '/'),   "a#", "+", "a\nb", "\xc2\x85",
                                            std::string(70'000, 'x')};
  for (const auto& device : devices) {
    tester->publish("chat/rpc/ping", wrapped(R"({"id":"odd"})", "alice", device));
    EXPECT_EQ(answer_to(*tester, "odd").topic, "chat/u/alice/error");
    tester->forget();
  }
  tester->publish("chat/rpc/ping", std::string("not an envelope at all"));
  tester->publish("chat/rpc/ping", wrapped(R"({"id":"after"})"));
  EXPECT_EQ(answer_to(*tester, "after").json["ok"], true);
  EXPECT_EQ(bridge_->times_in_log("disconnected"), 0u) << bridge_->log();
}

// More at once than the MQTT library buffers (100) and than the broker takes unacknowledged (20).
TEST_F(BridgeProgram, AnswersABurstWithoutLosingOne) {
  constexpr std::size_t kRequests = 2000;
  constexpr std::size_t kAhead = 500;  // the broker itself drops for a subscriber who is 1,000 behind
  start_broker();
  start_bridge();
  await_ready();
  const auto tester = client(kMqtt5);
  const auto answered = [](const Message& message) { return message.json.is_object() && message.json["ok"] == true; };
  for (std::size_t i = 0; i < kRequests; ++i) {
    if (i >= kAhead && i % 100 == 0) tester->expect_many("answers", i - kAhead, answered);
    tester->publish_async("chat/rpc/ping", wrapped(R"({"id":")" + std::to_string(i) + R"("})"), [](int) {});
  }
  tester->expect_many("all answers", kRequests, answered);
  std::set<std::string> ids;
  for (const auto& message : tester->received(answered)) ids.insert(message.json["id"].get<std::string>());
  EXPECT_EQ(ids.size(), kRequests);
}

TEST_F(BridgeProgram, IsBackAfterABrokerRestart) {
  start_broker();
  start_bridge();
  await_ready();
  broker_->stop();
  bridge_->await_log("disconnected from");
  bridge_->await_log("not connected to");
  broker_->start();
  await_ready(2);
  const auto tester = client(kMqtt5);
  tester->publish("chat/rpc/ping", wrapped(R"({"id":"p1"})"));
  EXPECT_EQ(answer_to(*tester, "p1").json["ok"], true);
}

TEST_F(BridgeProgram, WaitsForABrokerThatIsNotThereYet) {
  start_broker();
  broker_->stop();
  start_bridge();
  bridge_->await_log("not connected to", 2);
  broker_->start();
  await_ready();
}

TEST_F(BridgeProgram, AWrongPasswordIsSaidClearlyAndTriedAgain) {
  start_broker();
  start_bridge("wrong-secret");
  bridge_->await_log("the broker refuses the user \"chat-bridge\"", 2);
  EXPECT_NE(bridge_->log().find("Not authorized"), std::string::npos) << bridge_->log();
  EXPECT_TRUE(bridge_->running());
  write_password(test::kBridgePassword);
  await_ready();
  EXPECT_EQ(bridge_->times_in_log("wrong-secret"), 0u);
  EXPECT_EQ(bridge_->times_in_log(test::kBridgePassword), 0u);
}

TEST_F(BridgeProgram, APasswordFileThatVanishesIsSaidAndTriedAgain) {
  start_broker();
  start_bridge();
  await_ready();
  ASSERT_EQ(unlink(broker_->folder().path("password").c_str()), 0);
  broker_->stop();
  broker_->start();
  bridge_->await_log("password can't be read", 2);
  write_password(test::kBridgePassword);
  await_ready(2);
}

TEST_F(BridgeProgram, ASubscriptionThatIsRefusedIsSaidClearlyAndTriedAgain) {
  start_broker();  // only for its folder: Mosquitto's own acl_file grants every subscription
  const test::RefusingBroker refusing;
  start_bridge(test::kBridgePassword, refusing.uri());
  bridge_->await_log("does the plugin's option bridge_user name this user?", 2);
  EXPECT_NE(bridge_->log().find("Not authorized (135)"), std::string::npos) << bridge_->log();
  EXPECT_EQ(bridge_->times_in_log("listening on"), 0u);
  EXPECT_TRUE(bridge_->running());
}

TEST_F(BridgeProgram, AnAnswerThatTheBrokerRefusesIsSaid) {
  start_broker("user chat-bridge\ntopic read chat/rpc/#\nuser tester\ntopic readwrite chat/#\n");
  start_bridge();
  await_ready();
  client(kMqtt5)->publish("chat/rpc/ping", wrapped(R"({"id":"p1"})"));
  bridge_->await_log("an answer was not taken by the broker");
}

TEST_F(BridgeProgram, EndsWellOnSigtermAndSigint) {
  start_broker();
  for (const int number : {SIGTERM, SIGINT}) {
    start_bridge();
    await_ready(number == SIGTERM ? 1 : 2);
    bridge_->signal(number);
    EXPECT_EQ(bridge_->wait(), 0) << bridge_->log();
  }
  EXPECT_EQ(bridge_->times_in_log("left behind"), 0u) << bridge_->log();
}

TEST_F(BridgeProgram, EndsWellWhileItWaitsForTheNextAttempt) {
  start_broker();
  broker_->stop();
  start_bridge();
  bridge_->await_log("not connected to", 4);
  bridge_->signal(SIGTERM);
  EXPECT_EQ(bridge_->wait(), 0);
  EXPECT_EQ(bridge_->times_in_log("left behind"), 0u) << bridge_->log();
}

TEST_F(BridgeProgram, EndsWellWhileTheBrokerDoesNotAnswer) {
  start_broker();
  const test::Listener silent;
  start_bridge(test::kBridgePassword, silent.uri());
  const test::Socket connection = silent.accept();
  bridge_->signal(SIGTERM);
  EXPECT_EQ(bridge_->wait(), 0);
  EXPECT_EQ(bridge_->times_in_log("left behind"), 0u) << bridge_->log();
}

// ---- who leads

TEST_F(BridgeProgram, WaitsForAPostgresThatIsNotThereYetAndEndsWellMeanwhile) {
  start_broker();
  const auto there = postgres_;
  postgres_ = "postgresql://127.0.0.1:1/nothing-here";
  start_bridge();
  bridge_->await_log("who leads can't be settled");
  EXPECT_TRUE(bridge_->running());
  EXPECT_EQ(bridge_->times_in_log("listening on"), 0u);
  bridge_->signal(SIGTERM);
  EXPECT_EQ(bridge_->wait(), 0);
  EXPECT_EQ(bridge_->times_in_log("left behind"), 0u) << bridge_->log();

  postgres_ = there;
  test::PrivatePostgres::shared().stop();
  start_bridge();
  bridge_->await_log("who leads can't be settled", 2);
  test::PrivatePostgres::shared().start();
  await_ready();
}

TEST_F(BridgeProgram, OfTwoOneAnswersAndTheOtherTakesOverWhenItIsKilled) {
  start_broker();
  start_bridge();
  await_ready();
  const auto first = std::move(bridge_);
  start_bridge();
  bridge_->await_log("another bridge leads: standing by");
  EXPECT_EQ(bridge_->times_in_log("listening on"), 1u) << "of the first, in the same log";
  first->signal(SIGKILL);
  const auto killed = std::chrono::steady_clock::now();
  await_ready(2);
  std::cout << "took over within "
            << std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - killed).count()
            << " ms\n";
  const auto tester = client(kMqtt5);
  tester->publish("chat/rpc/ping", wrapped(R"({"id":"p1"})"));
  EXPECT_EQ(answer_to(*tester, "p1").json["ok"], true);
}

// Its connection to PostgreSQL is cut, and the other one is faster.
TEST_F(BridgeProgram, ALeaderThatLostItsLockToAnotherStandsBy) {
  start_broker();
  start_bridge();
  await_ready();
  auto other = std::make_unique<test::Database>(postgres_);
  other->query(
      "SELECT pg_terminate_backend(pid), pg_advisory_lock(hashtext('mosquitto-chat'), hashtext('bridge')) "
      "FROM pg_stat_activity WHERE application_name = 'mosquitto-chat-bridge-leader' AND datname = current_database()");
  bridge_->await_log("another bridge leads: standing by");
  bridge_->await_log("disconnected from");
  other.reset();
  await_ready(2);
  const auto tester = client(kMqtt5);
  tester->publish("chat/rpc/ping", wrapped(R"({"id":"p1"})"));
  EXPECT_EQ(answer_to(*tester, "p1").json["ok"], true);
}

TEST_F(BridgeProgram, EndsWellWhileItStandsBy) {
  start_broker();
  start_bridge();
  await_ready();
  const auto first = std::move(bridge_);
  start_bridge();
  bridge_->await_log("another bridge leads: standing by");
  bridge_->signal(SIGTERM);
  EXPECT_EQ(bridge_->wait(), 0);
  EXPECT_EQ(bridge_->times_in_log("left behind"), 0u) << bridge_->log();
}

}  // namespace
}  // namespace chat
