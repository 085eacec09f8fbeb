// Requests on their way to the bridge: wrapped with who asks, and sealed, so that only the plugin can make one.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using nlohmann::json;
using Kind = PublishVerdict::Kind;

class RpcRequests : public HubRig {
 protected:
  void SetUp() override {
    bridge_ = connect("chat-bridge", "bridge");
    ASSERT_TRUE(subscribe(bridge_, "chat/rpc/#"));
    alice_ = online("alice", "a \"1\"");
    forget();
  }
  Phone bridge_;
  Phone alice_;
};

TEST_F(RpcRequests, TheBridgeIsToldWhoAsksAndReadsTheClientsOwnBytes) {
  const auto verdict = publish(alice_, "chat/rpc/ping", R"({"id":"1","x": 2})");
  ASSERT_EQ(verdict.kind, Kind::kReplace);
  const auto envelope = json::parse(*verdict.payload);
  EXPECT_EQ(envelope.at("user"), "alice");
  EXPECT_EQ(envelope.at("device"), "a \"1\"");
  EXPECT_EQ(envelope.at("request"), json::parse(R"({"id":"1","x": 2})"));
  EXPECT_NE((*verdict.payload).find(R"({"id":"1","x": 2})"), std::string::npos);
  EXPECT_EQ(hub->may_read(bridge_.ref(), "chat/rpc/ping", *verdict.payload), Access::kGranted);
  EXPECT_EQ(hub->may_read(alice_.ref(), "chat/rpc/ping", *verdict.payload), Access::kRefused);
}

TEST_F(RpcRequests, WithoutTheSealNothingReachesTheBridge) {
  EXPECT_EQ(hub->may_read(bridge_.ref(), "chat/rpc/ping", R"({"user":"bob","device":"x","request":{"id":"1"}})"),
            Access::kRefused);
  const auto sealed = publish(alice_, "chat/rpc/ping", R"({"id":"1"})").payload;
  restart();  // another run, another seal
  EXPECT_EQ(hub->may_read(bridge_.ref(), "chat/rpc/ping", *sealed), Access::kRefused);
}

TEST_F(RpcRequests, WithoutABridgeTheClientIsTold) {
  disconnect(bridge_);
  EXPECT_EQ(publish(alice_, "chat/rpc/ping", R"({"id":"7"})").kind, Kind::kRefuse);
  ASSERT_EQ(told("alice", "error").size(), 1U);
  EXPECT_EQ(told("alice", "error")[0].at("code"), "unavailable");
  EXPECT_EQ(told("alice", "error")[0].at("id"), "7");
}

TEST_F(RpcRequests, AClientIdThatIsNoTopicLevelCannotBeAnswered) {
  for (const auto& device : std::vector<std::string>{"a/b", "a+b", "#"}) {
    const auto odd = connect("bob", device);
    EXPECT_EQ(publish(odd, "chat/rpc/ping", R"({"id":"1"})").kind, Kind::kRefuse) << device;
  }
  EXPECT_EQ(error_codes("bob"), std::vector<std::string>(3, "bad_field"));
}

TEST_F(RpcRequests, ARequestNeedsAnId) {
  EXPECT_EQ(publish(alice_, "chat/rpc/ping", "{}").kind, Kind::kRefuse);
  EXPECT_EQ(publish(alice_, "chat/rpc/ping", "[]").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"bad_field", "bad_json"}));
}

TEST_F(RpcRequests, NobodyElseSubscribesToThem) {
  EXPECT_FALSE(subscribe(alice_, "chat/rpc/#"));
  EXPECT_FALSE(subscribe(alice_, "chat/rpc/ping"));
  EXPECT_FALSE(subscribe(alice_, "$share/g/chat/rpc/#"));
}

}  // namespace
}  // namespace chat::test
