#include "plugin/core/ack_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace chat {
namespace {

using nlohmann::json;

TEST(AckJsonTest, GathersAndStartsOver) {
  AckJson ack;
  ack.add("a\"\\1", "g:1", 5, 1700);
  ack.add("", "dm:a:b", 6, 1701);
  EXPECT_EQ(ack.count(), 2U);
  EXPECT_EQ(json::parse(ack.take()), json::parse(R"({"acks":[
    {"id":"a\"\\1","conv":"g:1","seq":5,"server_time":1700,"status":"sent"},
    {"id":null,"conv":"dm:a:b","seq":6,"server_time":1701,"status":"sent"}]})"));
  EXPECT_EQ(ack.count(), 0U);
  EXPECT_EQ(json::parse(ack.take()), json::parse(R"({"acks":[]})"));
}

TEST(AckJsonTest, AnIdOfAnyBytesMakesValidJson) {
  AckJson ack;
  ack.add("\xff\xfe \xf0\x9f\x91\x8d", "g:1", 1, 1);
  EXPECT_TRUE(json::accept(ack.take()));
}

}  // namespace
}  // namespace chat
