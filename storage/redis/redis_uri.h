// Where Redis is, as people write it.
#pragma once

#include <string>
#include <string_view>

namespace chat {

inline constexpr int kRedisPort = 6379;

struct RedisUri {
  std::string host;  // a name or an address, without brackets; empty: a Unix socket
  int port = kRedisPort;
  std::string socket;  // an absolute path
  std::string user;    // empty: Redis's default user
  std::string password;
  int database = 0;
};

// Reads redis://[[user]:password@]host[:port][/database] and unix://[[user]:password@]/path[?db=database]; %XX stands
// for a byte of the user and the password. Throws std::invalid_argument with a sentence that holds the address, but
// never its password.
RedisUri parse_redis_uri(std::string_view uri);

// The address for a log line, without user and password.
std::string without_password(const RedisUri& uri);

}  // namespace chat
