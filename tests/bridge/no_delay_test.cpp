#include "bridge/mqtt/no_delay.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "bridge/mqtt/broker_uri.h"
#include "tests/bridge/odd_brokers.h"

namespace chat {
namespace {

test::Socket connect_to(int port) {
  test::Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return socket;
}

bool no_delay(const test::Socket& socket) {
  int on = 0;
  socklen_t size = sizeof on;
  getsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, &size);
  return on != 0;
}

TEST(NoDelay, IsSetOnConnectionsToThePortOnly) {
  const test::Listener broker;
  const test::Listener other;
  const int port = parse_broker_uri(broker.uri()).port;
  const test::Socket to_broker = connect_to(port);
  const test::Socket to_other = connect_to(parse_broker_uri(other.uri()).port);
  ASSERT_FALSE(no_delay(to_broker));
  EXPECT_EQ(set_no_delay(port), 1);
  EXPECT_TRUE(no_delay(to_broker));
  EXPECT_FALSE(no_delay(to_other));
}

}  // namespace
}  // namespace chat
