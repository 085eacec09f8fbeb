#include <gtest/gtest.h>

#include "bridge/handlers/handlers.h"
#include "bridge/version.h"

namespace chat {
namespace {

TEST(Ping, AnswersTheServersTimeAndVersion) {
  const Registry registry = all_handlers({.now = [] { return TimeMs{1'700'000'000'123}; }});
  const Handler* handler = registry.find("ping");
  ASSERT_NE(handler, nullptr);
  const Reply reply = (*handler)({"ping", "alice", "phone", "1", nlohmann::json{{"id", "1"}}});
  EXPECT_TRUE(reply.ok());
  EXPECT_EQ(reply.fields["server_time"], 1'700'000'000'123);
  EXPECT_EQ(reply.fields["version"], kVersion);
}

}  // namespace
}  // namespace chat
