// Tokens as passwords, on the real broker: who gets in, for how long, and what a SIGHUP changes.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "tests/auth/folder.h"
#include "tests/auth/signers.h"
#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

using nlohmann::json;

constexpr int kNotAuthorised311 = 5;

const KeyFolder& folder() {
  static const KeyFolder keys;
  return keys;
}

std::string jwks_of(const std::vector<Signer>& signers) {
  json set{{"keys", json::array()}};
  for (const auto& signer : signers) set["keys"].push_back(signer.jwk("of-" + signer.algorithm()));
  return set.dump();
}

std::string write_keys(const std::vector<Signer>& signers) {
  return folder().file("jwks.json", jwks_of(signers));
}

std::int64_t now_s() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::seconds>(system_clock::now().time_since_epoch()).count();
}

// A token that the stack's broker takes, for so many seconds.
std::string token(const std::string& user, int seconds, const Signer& signer = rsa(),
                  const json& more = json::object()) {
  json claims{{"sub", user}, {"exp", now_s() + seconds}, {"iss", "login"}, {"aud", {"mail", "chat"}}};
  claims.update(more);
  return signer.token(claims, {{"kid", "of-" + signer.algorithm()}});
}

struct TokenStack {
  static StackOptions options() {
    return {.plugin = {{"jwt_jwks_file", write_keys(all_signers())},
                       {"jwt_issuer", "login"},
                       {"jwt_audience", "chat"},
                       {"jwt_leeway_s", "0"}},
            .users = 2};
  }
};

class Tokens : public StackSuite<TokenStack> {
 protected:
  static std::unique_ptr<MqttClient> client(const std::string& user, const std::string& password,
                                            ClientOptions options = {}) {
    if (options.client_id.empty()) options.client_id = user + "-phone";
    options.user = user;
    options.password = password;
    return std::make_unique<MqttClient>(port(), std::move(options));
  }

  // The CONNACK of an attempt; 0: in.
  static int attempt(const std::string& user, const std::string& password, const std::string& device = "attempt",
                     int protocol = kMqtt5) {
    try {
      client(user, password, {.client_id = device, .protocol = protocol})->connect();
      return 0;
    } catch (const ConnectRefused& refused) {
      return refused.code();
    }
  }

  static std::size_t times_in_log(const std::string& text) {
    const auto log = stack().broker_log_tail(100'000);
    std::size_t times = 0;
    for (std::size_t at = 0; (at = log.find(text, at)) != std::string::npos; at += text.size()) ++times;
    return times;
  }

  // SIGHUP, and the broker is behind it.
  static void reload(const std::string& line) {
    const auto before = times_in_log(line);
    stack().reload_broker();
    eventually("\"" + line + "\" in the log", [&] { return times_in_log(line) > before; });
  }
};

TEST_F(Tokens, OfEachAlgorithmLetTheirUsersChatThoughNoPasswordFileKnowsThem) {
  int number = 0;
  for (const auto& signer : all_signers()) {
    for (const int protocol : {kMqtt311, kMqtt5}) {
      const auto name = "token-" + std::to_string(++number);
      const auto sender = client(name, token(name, 600, signer), {.protocol = protocol});
      const auto receiver = client(name + "-friend", token(name + "-friend", 600, signer), {.protocol = protocol});
      for (auto* each : {sender.get(), receiver.get()}) {
        each->connect();
        ASSERT_EQ(each->subscribe("chat/u/" + each->options().user + "/#"), 1);
      }
      EXPECT_LT(sender->publish(direct_topic(name + "-friend"), text("t-1", "hello")), 0x80);
      const auto message =
          receiver->expect("the message", [](const Message& came) { return field(came, "id") == "t-1"; });
      EXPECT_EQ(field(message, "from"), name);
    }
  }
}

TEST_F(Tokens, ThatAreBadAreRefusedAtConnectWithTheReasonInTheLog) {
  const auto user = stack().new_user();  // with a password, which a refused token must not be taken for
  const auto header = json{{"alg", "none"}}.dump();
  const auto claims = json{{"sub", user}, {"exp", now_s() + 60}, {"iss", "login"}, {"aud", "chat"}};
  const std::vector<std::pair<std::string, std::string>> bad{
      {token(user, -1), "\"exp\" passed"},
      {token(user, 60, Signer::rsa()), "its signature is not"},
      {token("somebody", 60), "which is not the user name"},
      {token(user, 60, rsa(), {{"nbf", now_s() + 60}}), "\"nbf\" is"},
      {token(user, 60, rsa(), {{"iss", "other"}}), "its \"iss\" is \"other\""},
      {token(user, 60, rsa(), {{"aud", "mail"}}), "its \"aud\" is not"},
      {compact(header, claims.dump(), ""), "its \"alg\" is \"none\""},
      {Signer::secret(rsa().public_pem()).token(claims), "its signature is not"},
  };
  int number = 0;
  for (const auto& [password, why] : bad) {
    const auto device = "bad-" + std::to_string(++number);
    EXPECT_EQ(attempt(user, password, device, kMqtt311), kNotAuthorised311) << why;
    EXPECT_EQ(attempt(user, password, device, kMqtt5), kNotAuthorised) << why;
    const auto said = "The token of user \"" + user + "\" on \"" + device + "\" is refused: ";
    EXPECT_EQ(times_in_log(said), 2U) << why;
    EXPECT_GE(times_in_log(why), 2U) << why;
    EXPECT_EQ(times_in_log(password), 0U) << "the token stands in the log";
  }
  EXPECT_EQ(attempt("chat-bridge", token("chat-bridge", 60)), kNotAuthorised);
  EXPECT_EQ(attempt("", token("alice", 60)), kNotAuthorised);
}

TEST_F(Tokens, LeavePasswordsToThePasswordFileAndTheBridgeIn) {
  const auto user = stack().new_user();
  EXPECT_EQ(attempt(user, "demo"), 0);
  EXPECT_EQ(attempt(user, "wrong"), kNotAuthorised);
  EXPECT_EQ(attempt(user, ""), kNotAuthorised);
  EXPECT_EQ(attempt("nobody-known", "demo"), kNotAuthorised);
  const auto asking = client("asks", token("asks", 60));
  asking->connect();
  asking->subscribe("chat/u/asks/#");
  asking->publish("chat/rpc/ping", std::string(R"({"id":"r-1"})"));
  asking->expect("the bridge's answer", [](const Message& came) { return field(came, "id") == "r-1"; });
}

TEST_F(Tokens, EndTheConnectionWhenTheyEnd) {
  const auto lasting = client("lasting", token("lasting", 600));
  lasting->connect();
  const auto old = client("old", token("old", 2), {.protocol = kMqtt311});
  const auto fresh = client("fresh", token("fresh", 2), {.protocol = kMqtt5});
  for (auto* short_lived : {old.get(), fresh.get()}) short_lived->connect();
  for (auto* short_lived : {old.get(), fresh.get()}) {
    const auto& user = short_lived->options().user;
    eventually("the end of the connection", [&] { return !short_lived->connected(); });
    EXPECT_EQ(times_in_log("The token of user \"" + user + "\" on \"" + user + "-phone\" has ended"), 1U);
    EXPECT_THROW(short_lived->connect(), ConnectRefused);
  }
  EXPECT_TRUE(lasting->connected());
}

TEST_F(Tokens, DoNotEndAConnectionThatTookTheClientIdOverWithAFreshToken) {
  const auto first = client("renews", token("renews", 2));
  first->connect();
  const auto second = client("renews", token("renews", 600));
  second->connect();
  eventually("the takeover", [&] { return !first->connected(); });
  const auto witness = client("witness", token("witness", 2));
  witness->connect();
  eventually("the end of a token that ends later", [&] { return !witness->connected(); });
  EXPECT_TRUE(second->connected());
  EXPECT_EQ(times_in_log("\"renews-phone\" has ended"), 0U);
}

TEST_F(Tokens, AreJudgedAnewWithTheNewKeysAtASighup) {
  const auto next = Signer::rsa();
  const auto by_old = client("by-old", token("by-old", 600));
  const auto by_other = client("by-other", token("by-other", 600, ed25519()));
  by_old->connect();
  by_other->connect();

  folder().file("jwks.json", "{");
  reload("The keys that were read before stay in force.");
  EXPECT_EQ(attempt("new-1", token("new-1", 60)), 0);
  EXPECT_TRUE(by_old->connected());

  write_keys({next, ed25519()});
  reload("keys for tokens were read from");
  eventually("the end of the one whose key is gone", [&] { return !by_old->connected(); });
  EXPECT_THROW(by_old->connect(), ConnectRefused);
  EXPECT_TRUE(by_other->connected());
  EXPECT_EQ(attempt("new-2", token("new-2", 60, next)), 0);

  write_keys(all_signers());
  reload("keys for tokens were read from");
}

// The broker forgets the password of who is away, and asks about everybody at a SIGHUP. Nobody can vouch for them then,
// and it costs them nothing.
TEST_F(Tokens, OfDevicesThatAreAwayAreNotMissedAtASighup) {
  const ClientOptions durable{.clean_start = false, .session_expiry_s = 3600};
  const auto away = client("away", token("away", 600), durable);
  away->connect();
  away->subscribe("chat/u/away/#");
  away->disconnect();
  const auto sender = client("sender", token("sender", 600));
  sender->connect();
  sender->publish(direct_topic("away"), text("while-away", "hello"));
  reload("keys for tokens were read from");
  EXPECT_TRUE(sender->connected());
  away->connect();
  EXPECT_TRUE(away->session_present());
  away->publish("chat/sync", std::string("{}"));
  away->expect("what was missed", [](const Message& came) { return field(came, "id") == "while-away"; });
}

}  // namespace
}  // namespace chat::test
