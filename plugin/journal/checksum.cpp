#include "plugin/journal/checksum.h"

#include <isa-l.h>

namespace chat {

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
  return ~crc32_iscsi(at, static_cast<int>(size), crc);
}

}  // namespace chat
