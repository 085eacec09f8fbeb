#include "plugin/journal/checksum.h"

#include <gtest/gtest.h>

#include <string_view>

namespace chat {
namespace {

TEST(Checksum, IsCrc32cOfThePublishedCheckValue) {
  EXPECT_EQ(crc32c("123456789", 9), 0xE3069283U);
}

TEST(Checksum, OfNothingIsZero) {
  EXPECT_EQ(crc32c("", 0), 0U);
}

TEST(Checksum, GoesOnWhereAnEarlierCallStopped) {
  constexpr std::string_view kText = "123456789";
  for (std::size_t cut = 0; cut <= kText.size(); ++cut) {
    const std::uint32_t front = crc32c(kText.data(), cut);
    EXPECT_EQ(crc32c(kText.data() + cut, kText.size() - cut, front), 0xE3069283U) << "cut at " << cut;
  }
}

}  // namespace
}  // namespace chat
