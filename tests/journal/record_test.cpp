#include "plugin/journal/record.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/journal/records.h"

namespace chat {
namespace {

std::string encoded(const Record& record) {
  std::string body;
  std::visit([&](const auto& r) { encode(r, &body); }, record);
  return body;
}

TEST(Record, EveryKindComesBackAsItWas) {
  std::mt19937_64 random(test_seed());
  std::set<std::size_t> kinds;
  Record back;  // used again: what an earlier record left in it must not show
  for (int i = 0; i < 2000; ++i) {
    const Record record = random_record(random);
    ASSERT_TRUE(decode(encoded(record), &back));
    ASSERT_EQ(back, record);
    kinds.insert(record.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Record>);
}

TEST(Record, TruncatedOrLongerBodiesAreNotRecords) {
  std::mt19937_64 random(test_seed());
  Record back;
  for (int i = 0; i < 300; ++i) {
    const std::string body = encoded(random_record(random));
    for (std::size_t size = 0; size < body.size(); ++size) {
      ASSERT_FALSE(decode(std::string_view(body).substr(0, size), &back)) << size << " of " << body.size();
    }
    ASSERT_FALSE(decode(body + '\0', &back));
  }
}

TEST(Record, RubbishNeverCrashesAndNeverSizesAnAllocation) {
  std::mt19937_64 random(test_seed());
  Record back;
  for (int i = 0; i < 20000; ++i) {
    std::string body = random() % 2 == 0 ? random_text(random, 200) : encoded(random_record(random));
    for (std::size_t n = random() % 4; n > 0 && !body.empty(); --n) {
      body[random() % body.size()] = random() % 2 == 0 ? '\xff' : static_cast<char>(random());
    }
    decode(body, &back);
  }
}

TEST(Record, UnknownTypesAndValuesAreRefused) {
  Record back;
  EXPECT_FALSE(decode("", &back));
  EXPECT_FALSE(decode("Zrest", &back));
  MessageRecord message;
  message.message.type = static_cast<MessageType>(8);
  EXPECT_FALSE(decode(encoded(message), &back));
  ParkedRecord parked;
  parked.qos = 3;
  EXPECT_FALSE(decode(encoded(parked), &back));
}

}  // namespace
}  // namespace chat
