#include "bridge/rpc/desk.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "storage/errors.h"
#include "tests/bridge/envelopes.h"

namespace chat {
namespace {

using nlohmann::json;
using test::wrapped;

class DeskTest : public ::testing::Test {
 protected:
  DeskTest() : desk_("chat", registry_) {
    registry_.add("echo", [this](const Request& request) {
      ++runs_;
      return Reply::success({{"user", request.user}, {"device", request.device}, {"text", request.fields["text"]}});
    });
  }

  void add_failing(const std::function<void()>& thrower) {
    registry_.add("fail", [thrower](const Request&) {
      thrower();
      return Reply::success({});
    });
  }

  static Incoming incoming(const std::string& request, const std::string& operation = "echo") {
    return {"chat/rpc/" + operation, wrapped(request), std::nullopt, std::nullopt};
  }

  json reply(const Incoming& request) {
    const Handled handled = desk_.answer(request);
    EXPECT_TRUE(handled.answer) << handled.trouble;
    return handled.answer ? json::parse(handled.answer->payload) : json();
  }

  Registry registry_;
  Desk desk_;
  int runs_ = 0;
};

TEST_F(DeskTest, AHandlersFieldsStandBehindIdAndOk) {
  const Handled handled = desk_.answer(incoming(R"({"id":"7","text":"hi"})"));
  ASSERT_TRUE(handled.answer);
  EXPECT_EQ(handled.answer->topic, "chat/u/alice/reply/phone");
  EXPECT_EQ(handled.answer->payload, R"({"id":"7","ok":true,"user":"alice","device":"phone","text":"hi"})");
  EXPECT_EQ(handled.code, "");
  EXPECT_EQ(handled.operation, "echo");
}

TEST_F(DeskTest, RawMembersReachTheClientInTheirOwnBytes) {
  registry_.add("raw", [](const Request& request) {
    return Reply::success(request.fields["fields"], R"("messages":[{ "n":1.50 }])");
  });
  const auto text = [&](const std::string& fields) {
    return desk_.answer(incoming(R"({"id":"7","fields":)" + fields + "}", "raw")).answer->payload;
  };
  EXPECT_EQ(text(R"({"more":true})"), R"({"id":"7","ok":true,"more":true,"messages":[{ "n":1.50 }]})");
  EXPECT_EQ(text("{}"), R"({"id":"7","ok":true,"messages":[{ "n":1.50 }]})");
}

TEST_F(DeskTest, CorrelationDataIsGivenBack) {
  Incoming request = incoming(R"({"id":"7","text":""})");
  EXPECT_EQ(desk_.answer(request).answer->correlation, std::nullopt);
  request.correlation = std::string("\0\xff", 2);
  EXPECT_EQ(desk_.answer(request).answer->correlation, std::string("\0\xff", 2));
}

TEST_F(DeskTest, AnIdThatIsNoneIsRefusedAndAnsweredWithNull) {
  for (const std::string request :
       {R"({"text":""})", R"({"id":5})", R"({"id":""})", R"({"id":null})", R"({"id":["x"]})",
        R"({"id":"12345678901234567890123456789012345678901234567890123456789012345"})"}) {
    const json got = reply(incoming(request));
    EXPECT_TRUE(got["id"].is_null()) << request;
    EXPECT_EQ(got["ok"], false) << request;
    EXPECT_EQ(got["code"], "bad_field") << request;
  }
  EXPECT_EQ(reply(incoming(R"({"id":5})"))["reason"], "the field id is 5, and must be a string of 1 to 64 bytes");
  EXPECT_EQ(reply(incoming("{}"))["reason"], "the field id is missing, and must be a string of 1 to 64 bytes");
  EXPECT_EQ(runs_, 0);
}

TEST_F(DeskTest, UnknownOperationsAreRefusedByName) {
  const json got = reply(incoming(R"({"id":"1"})", "fly"));
  EXPECT_EQ(
      got, json::parse(R"({"id":"1","ok":false,"code":"unknown_operation","reason":"there is no operation \"fly\""})"));
  EXPECT_EQ(reply(incoming(R"({"id":"1"})", ""))["code"], "unknown_operation");
  EXPECT_EQ(reply(incoming(R"({"id":"1"})", "echo/more"))["code"], "unknown_operation");
}

TEST_F(DeskTest, WhatIsNotJsonIsRefusedOnTheReplyTopic) {
  const Handled handled = desk_.answer(incoming(R"({"id":oops})"));
  ASSERT_TRUE(handled.answer);
  EXPECT_EQ(handled.answer->topic, "chat/u/alice/reply/phone");
  const json got = json::parse(handled.answer->payload);
  EXPECT_EQ(got["code"], "bad_json");
  EXPECT_TRUE(got["id"].is_null());
  EXPECT_NE(got["reason"].get<std::string>().find("is not JSON near"), std::string::npos) << got;
}

TEST_F(DeskTest, ARequestThatCanNotBeAnsweredWhereItAsksIsNotCarriedOut) {
  Incoming request = incoming(R"({"id":"7","text":""})");
  request.response_topic = "chat/u/bob/x";
  request.correlation = "c";
  const Handled handled = desk_.answer(request);
  ASSERT_TRUE(handled.answer);
  EXPECT_EQ(handled.answer->topic, "chat/u/alice/error");
  EXPECT_EQ(handled.answer->correlation, "c");
  const json got = json::parse(handled.answer->payload);
  EXPECT_EQ(got["code"], "bad_field");
  EXPECT_EQ(got["topic"], "chat/rpc/echo");
  EXPECT_EQ(got["id"], "7");
  EXPECT_NE(got["reason"].get<std::string>().find("chat/u/bob/x"), std::string::npos);
  EXPECT_EQ(runs_, 0);
}

TEST_F(DeskTest, TheResponseTopicIsUsedWhereItIsTheUsersOwn) {
  Incoming request = incoming(R"({"id":"7","text":""})");
  request.response_topic = "chat/u/alice/answers/1";
  EXPECT_EQ(desk_.answer(request).answer->topic, "chat/u/alice/answers/1");
  EXPECT_EQ(runs_, 1);
}

TEST_F(DeskTest, MessagesThatNameNobodyAreOnlyReported) {
  const Handled handled = desk_.answer({"chat/rpc/echo", R"({"id":"1"})", "chat/u/alice/x", std::nullopt});
  EXPECT_FALSE(handled.answer);
  EXPECT_NE(handled.trouble.find("plugin"), std::string::npos);
  EXPECT_FALSE(desk_.answer({"other/rpc/echo", wrapped(R"({"id":"1"})"), std::nullopt, std::nullopt}).answer);
  EXPECT_EQ(runs_, 0);
}

TEST_F(DeskTest, AStoresRefusalIsTheReplys) {
  add_failing([] { throw StoreRefused("not_found", "there is no conversation g:x"); });
  const json got = reply(incoming(R"({"id":"1"})", "fail"));
  EXPECT_EQ(got, json::parse(R"({"id":"1","ok":false,"code":"not_found","reason":"there is no conversation g:x"})"));
}

TEST_F(DeskTest, AStoreThatIsAwayIsUnavailable) {
  add_failing([] { throw StoreUnavailable("connection refused"); });
  const Handled handled = desk_.answer(incoming(R"({"id":"1"})", "fail"));
  EXPECT_EQ(handled.code, "unavailable");
  EXPECT_NE(handled.trouble.find("connection refused"), std::string::npos) << "the log learns why";
  EXPECT_EQ(handled.answer->payload.find("connection refused"), std::string::npos) << "a stranger does not";
}

TEST_F(DeskTest, AHandlerThatFailsStillAnswers) {
  add_failing([] { throw std::runtime_error("a bug"); });
  const Handled handled = desk_.answer(incoming(R"({"id":"1"})", "fail"));
  EXPECT_EQ(handled.code, "unavailable");
  EXPECT_NE(handled.trouble.find("a bug"), std::string::npos);
}

TEST_F(DeskTest, AHandlerThatGivesNoObjectOfFieldsFailed) {
  registry_.add("list", [](const Request&) { return Reply::success(nlohmann::ordered_json::array({1, 2})); });
  registry_.add("none", [](const Request&) { return Reply::success({}); });
  EXPECT_EQ(reply(incoming(R"({"id":"1"})", "list"))["code"], "unavailable");
  EXPECT_EQ(reply(incoming(R"({"id":"1"})", "none")), json::parse(R"({"id":"1","ok":true})"));
}

TEST_F(DeskTest, NoHandlerCanChangeTheAnswersIdOrMakeItUnreadable) {
  registry_.add("odd", [](const Request&) {
    return Reply::success({{"id", "other"}, {"ok", false}, {"text", "\xff"}});
  });
  EXPECT_EQ(reply(incoming(R"({"id":"1"})", "odd")), json::parse(R"({"id":"1","ok":true,"text":"\ufffd"})"));
}

TEST_F(DeskTest, RefusingRunsNothingAndKeepsTheId) {
  const Handled handled = desk_.refuse(incoming(R"({"id":"7","text":""})"), "unavailable", "full");
  EXPECT_EQ(handled.answer->payload, R"({"id":"7","ok":false,"code":"unavailable","reason":"full"})");
  EXPECT_EQ(runs_, 0);
}

TEST_F(DeskTest, TwoHandlersOfOneOperationAreAProgrammersError) {
  EXPECT_THROW(registry_.add("echo", [](const Request&) { return Reply::success({}); }), std::logic_error);
}

}  // namespace
}  // namespace chat
