#include "plugin/journal/checksum.h"

#include <gtest/gtest.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

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

#ifdef __x86_64__
// The parts of the processor's state that are not as they were at first: XGETBV with ECX = 1 (Intel's manual, volume 1,
// 13.6). Bit 2: the upper halves of YMM; bit 6: those of ZMM.
[[gnu::target("xsave")]] std::uint64_t state_in_use() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
  return std::uint64_t{high} << 32 | low;
}

constexpr std::uint64_t kUpperHalves = 1U << 2 | 1U << 6;

void use_upper_halves() {
  __asm__ volatile("vcmptrueps %%ymm0, %%ymm0, %%ymm0" ::: "xmm0");
}

TEST(Checksum, LeavesNoUpperHalvesOfVectorRegistersInUse) {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
  std::uint32_t d = 0;
  constexpr std::uint32_t kXgetbv1 = 1U << 2;
  const bool tells =
      __builtin_cpu_supports("avx") != 0 && __get_cpuid_count(0xD, 1, &a, &b, &c, &d) != 0 && (a & kXgetbv1) != 0;
  if (!tells) GTEST_SKIP() << "this processor does not tell which registers are in use";
  use_upper_halves();
  const auto used = state_in_use() & kUpperHalves;
  __asm__ volatile("vzeroupper");
  if (used == 0 || (state_in_use() & kUpperHalves) != 0)
    GTEST_SKIP() << "this processor says the same of registers that are in use and of others";
  const std::string text(1000, 'x');
  use_upper_halves();  // where libisal has no need of them
  crc32c(text.data(), text.size());
  EXPECT_EQ(state_in_use() & kUpperHalves, 0U);
}
#endif

}  // namespace
}  // namespace chat
