#include "plugin/journal/checksum.h"

#include <isa-l.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace chat {
namespace {

// libisal's AVX-512 code returns with the upper halves of the vector registers in use, and leaves it to its caller to
// clear them (github.com/intel/isa-l/issues/24). Until somebody does, plain SSE code, of which the broker and most
// libraries are made, is slower (Intel's optimization manual, "Mixing AVX code with SSE code"): it cost an eighth of
// the broker's thread's time for a publish, most of it far from here (docs/benchmarks.md).
#ifdef __x86_64__
[[gnu::target("avx")]] void clear_upper_halves() {
  _mm256_zeroupper();
}
void after_libisal() {
  static const bool has_them = __builtin_cpu_supports("avx") != 0;
  if (has_them) clear_upper_halves();
}
#else
void after_libisal() {}
#endif

}  // namespace

std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t before) {
  // libisal leaves the inversion before and after to its caller, never writes through its pointer, and counts in int.
  auto* at = const_cast<unsigned char*>(static_cast<const unsigned char*>(data));
  std::uint32_t crc = ~before;
  constexpr std::size_t kStep = 1U << 30;
  while (size > kStep) {
    crc = crc32_iscsi(at, static_cast<int>(kStep), crc);
    at += kStep;
    size -= kStep;
  }
  crc = crc32_iscsi(at, static_cast<int>(size), crc);
  after_libisal();
  return ~crc;
}

}  // namespace chat
