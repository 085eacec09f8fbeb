#include "bridge/rpc/envelope.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/bridge/envelopes.h"

namespace chat {
namespace {

using test::wrapped;

TEST(Envelope, NamesUserDeviceAndRequest) {
  const Envelope envelope = open_envelope(wrapped(R"({"id":"1","x":[2]})"));
  EXPECT_EQ(envelope.error, "");
  EXPECT_EQ(envelope.user, "alice");
  EXPECT_EQ(envelope.device, "phone");
  EXPECT_EQ(envelope.request, nlohmann::json::parse(R"({"id":"1","x":[2]})"));
}

TEST(Envelope, ARequestThatIsNoObjectIsRefusedWithItsValue) {
  EXPECT_EQ(open_envelope(wrapped("5")).error, "the payload is 5, and must be a JSON object");
  EXPECT_EQ(open_envelope(wrapped("[]")).error, "the payload is an array, and must be a JSON object");
}

TEST(Envelope, BrokenRequestsStillNameTheirUser) {
  for (const std::string request :
       {"", "{", "oops", R"({"id":"1")", R"({"id":"1","id":"2"})", R"({"id":"1"}})", "\xff"}) {
    const Envelope envelope = open_envelope(wrapped(request));
    EXPECT_EQ(envelope.user, "alice") << request;
    EXPECT_EQ(envelope.device, "phone") << request;
    EXPECT_NE(envelope.error, "") << request;
  }
}

TEST(Envelope, BytesThatBreakOutSpeakForNobodyElse) {
  for (const std::string request :
       {R"({"id":"1"},"user":"bob")", R"({"id":"1"},"user":"bob","device":"x","request":{"id":"1"})",
        R"({"id":"1"}}{"user":"bob","device":"x","request":{"id":"1"})", R"({"id":"1"},"more":1)",
        R"({"id":"1"},"request":{"id":"2"})", R"({"id":"1"},"us\u0065r":"bob")"}) {
    const Envelope envelope = open_envelope(wrapped(request));
    EXPECT_EQ(envelope.user, "alice") << request;
    EXPECT_NE(envelope.error, "") << request;
    EXPECT_TRUE(envelope.request.is_null()) << request;
  }
}

TEST(Envelope, WithoutUserOrDeviceThereIsNobodyToAnswer) {
  for (const std::string payload :
       {"", "{}", "[]", "7", R"({"user":"alice"})", R"({"device":"d","request":{}})",
        R"({"user":7,"device":"d","request":{}})", R"({"user":"a/b","device":"d","request":{}})",
        R"({"user":"","device":"d","request":{}})", R"({"user":"alice","device":null,"request":{}})",
        R"({"request":{"user":"alice","device":"d"}})"}) {
    const Envelope envelope = open_envelope(payload);
    EXPECT_EQ(envelope.user, "") << payload;
    EXPECT_NE(envelope.error, "") << payload;
  }
}

}  // namespace
}  // namespace chat
