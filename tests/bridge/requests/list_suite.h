// Lists and unread counts asked for in each of the ways in which the bridge may answer them: from PostgreSQL alone, and
// with how everybody stands kept in Redis, which may be left alone or lose, mangle and bring back old texts at any
// time.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>

#include "bridge/standings/list_standings.h"
#include "tests/bridge/requests/request_suite.h"
#include "tests/support/private_redis.h"

namespace chat::test {

enum class Kept { kNowhere, kInRedis, kInADisturbedRedis };

class ListSuite : public RequestSuite, public ::testing::WithParamInterface<Kept> {
 protected:
  ListSuite();

  bool kept() const { return redis_ != nullptr; }
  // Where Redis is to be disturbed: perhaps does something to it.
  void disturb(std::mt19937_64& chance, const std::string& user);
  // How often Redis had what was asked for.
  std::int64_t hits() const;

 private:
  std::unique_ptr<PrivateRedis> redis_;
  StandingLog log_;
  std::unique_ptr<ListStandings> standings_;
  std::string before_;  // a text that was there at some time
};

std::string name_of(const ::testing::TestParamInfo<Kept>& info);

}  // namespace chat::test
