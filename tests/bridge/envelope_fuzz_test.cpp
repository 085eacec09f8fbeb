// Goal: whatever bytes a client sends, and whatever else the bridge finds on its request topics, it answers the user
// whom the plugin named or nobody, with valid JSON, on a topic that the broker takes, and does not fall over. Method:
// random bytes, and random changes to bytes that mean something, go through the whole core. The run counts how often
// each kind of outcome came: a fuzz test whose inputs all end at the first check has tested that check only.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bridge/handlers/handlers.h"
#include "bridge/rpc/desk.h"
#include "bridge/rpc/topics.h"
#include "tests/bridge/envelopes.h"
#include "tests/support/seed.h"

namespace chat {
namespace {

using nlohmann::json;
using test::wrapped;

constexpr int kRounds = 20'000;

class EnvelopeFuzz : public ::testing::Test {
 protected:
  EnvelopeFuzz()
      : chance_(test::generator(testing::UnitTest::GetInstance()->current_test_info()->name())),
        desk_("chat", registry_) {
    registry_.add("who", [this](const Request& request) {
      acted_for_.push_back(request.user);
      return Reply::success({{"user", request.user}, {"fields", request.fields}});
    });
  }

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(chance_); }

  std::string random_bytes(std::size_t longest) {
    std::string bytes(below(longest + 1), '\0');
    for (char& byte : bytes) byte = static_cast<char>(below(256));
    return bytes;
  }

  // Pieces that a JSON parser reacts to, strung together: gets much further than bytes alone.
  std::string random_json_like(std::size_t pieces) {
    static const std::array<std::string, 31> kPieces = {"{",
                                                        "}",
                                                        "[",
                                                        "]",
                                                        ":",
                                                        ",",
                                                        "\"",
                                                        "\\",
                                                        "\"id\"",
                                                        "\"user\"",
                                                        "\"device\"",
                                                        "\"bob\"",
                                                        "\"request\"",
                                                        "1",
                                                        "-0",
                                                        "1e999",
                                                        "null",
                                                        "true",
                                                        "\\u0000",
                                                        "\\ud800",
                                                        "\"us\\u0065r\"",
                                                        " ",
                                                        "\n",
                                                        "\"id\":\"1\"",
                                                        "}}",
                                                        "{\"id\":\"2\"}",
                                                        "\"user\":\"bob\"",
                                                        "\xff",
                                                        "\xc3\xbc",
                                                        "\x01",
                                                        "\"text\":\"x\""};
    std::string text;
    for (std::size_t i = below(pieces + 1); i > 0; --i) text += kPieces[below(kPieces.size())];
    return text;
  }

  // A few bytes of `text` removed, doubled, changed or put in.
  std::string mutated(std::string text) {
    for (std::size_t i = 1 + below(4); i > 0 && !text.empty(); --i) {
      const std::size_t at = below(text.size());
      const std::size_t length = 1 + below(std::min<std::size_t>(8, text.size() - at));
      switch (below(4)) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text.insert(at, text.substr(at, length));
          break;
        case 2:
          text[at] = static_cast<char>(below(256));
          break;
        default:
          text.insert(at, random_json_like(3));
      }
    }
    return text;
  }

  // Checks what must hold for every answer, and counts the outcome.
  Handled handle(const Incoming& incoming) {
    acted_for_.clear();
    Handled handled = desk_.answer(incoming);
    if (!handled.answer) {
      ++outcomes_["nobody to answer"];
      EXPECT_NE(handled.trouble, "");
      EXPECT_TRUE(acted_for_.empty());
      return handled;
    }
    ++outcomes_[handled.code.empty() ? "ok" : handled.code];
    EXPECT_TRUE(handled.answer->topic.starts_with("chat/u/" + handled.user + "/")) << handled.answer->topic;
    EXPECT_TRUE(publishable(handled.answer->topic)) << testing::PrintToString(handled.answer->topic);
    const json reply = json::parse(handled.answer->payload, nullptr, false);
    EXPECT_TRUE(reply.is_object()) << handled.answer->payload;
    EXPECT_TRUE(reply.contains("id"));
    EXPECT_EQ(handled.answer->correlation, incoming.correlation);
    EXPECT_EQ(acted_for_.size(), handled.code.empty() ? 1u : 0u);
    for (const auto& user : acted_for_) EXPECT_EQ(user, handled.user);
    for (const char c : handled.trouble) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << "in a log line";
    return handled;
  }

  void expect_outcomes(const std::vector<std::string>& wanted) {
    for (const auto& outcome : wanted)
      EXPECT_GT(outcomes_[outcome], 0) << outcome << " never came: the inputs are too tame";
    for (const auto& [outcome, times] : outcomes_) RecordProperty(outcome, times);
  }

  std::mt19937_64 chance_;
  Registry registry_;
  Desk desk_;
  std::vector<std::string> acted_for_;
  std::map<std::string, int> outcomes_;
};

TEST_F(EnvelopeFuzz, RandomBytesAreNobodysRequest) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const std::string payload = below(2) == 0 ? random_bytes(200) : random_json_like(30);
    SCOPED_TRACE(testing::PrintToString(payload));
    handle({"chat/rpc/who", payload, std::nullopt, std::nullopt});
  }
  expect_outcomes({"nobody to answer"});
}

// The plugin's own bytes are right; the client's may be anything.
TEST_F(EnvelopeFuzz, AClientsBytesSpeakForNobodyElse) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const std::array<std::string, 4> requests = {
        random_bytes(100), random_json_like(20), mutated(R"({"id":"1","text":"hello","list":[1,{"a":null}]})"),
        mutated(R"({"id":"1"},"user":"bob","device":"bobs","request":{"id":"1"})")};
    const std::string& request = requests[below(requests.size())];
    SCOPED_TRACE(testing::PrintToString(request));
    const Handled handled = handle({"chat/rpc/who", wrapped(request), std::nullopt, std::nullopt});
    EXPECT_EQ(handled.user, "alice");
    EXPECT_EQ(handled.device, "phone");
    ASSERT_TRUE(handled.answer);
    EXPECT_EQ(handled.answer->topic, "chat/u/alice/reply/phone");
  }
  expect_outcomes({"ok", "bad_json", "bad_field"});
}

TEST_F(EnvelopeFuzz, ChangedEnvelopesAnswerOnlyWhomTheyName) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const std::string payload = mutated(wrapped(R"({"id":"1","text":"x"})"));
    SCOPED_TRACE(testing::PrintToString(payload));
    handle({"chat/rpc/who", payload, std::nullopt, std::nullopt});
  }
  expect_outcomes({"ok", "bad_json", "bad_field", "nobody to answer"});
}

TEST_F(EnvelopeFuzz, NoDeviceOrResponseTopicLeadsOutOfTheUsersTopics) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    std::optional<std::string> response_topic;
    if (below(2) == 0) response_topic = below(2) == 0 ? random_bytes(40) : mutated("chat/u/alice/answers/here");
    std::string device = mutated("phone");
    if (below(4) == 0) device = mutated(std::string(kTopicSlashesMax - 3, '/'));
    // A client id is UTF-8 by the time that it is one.
    device = json::parse(json(device).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
    std::optional<std::string> correlation;
    if (below(2) == 0) correlation = random_bytes(20);
    SCOPED_TRACE(testing::PrintToString(device) + " " + testing::PrintToString(response_topic.value_or("none")));
    const Handled handled =
        handle({mutated("chat/rpc/who"), wrapped(R"({"id":"1"})", "alice", device), response_topic, correlation});
    EXPECT_TRUE(handled.user.empty() || handled.user == "alice");
  }
  expect_outcomes({"ok", "bad_field", "unknown_operation", "nobody to answer"});
}

// The harness can fail: a parser that lets the last of two names win is found out by these inputs.
TEST_F(EnvelopeFuzz, TheInputsWouldFindAParserThatBelievesTheLastName) {
  int fooled = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string request = mutated(R"({"id":"1"},"user":"bob","device":"bobs","request":{"id":"1"})");
    const json trusting = json::parse(wrapped(request), nullptr, false);
    if (trusting.is_object() && trusting.value("user", json()) == "bob") ++fooled;
  }
  EXPECT_GT(fooled, 0);
}

}  // namespace
}  // namespace chat
