// CRC32C, by libisal (hardware instructions where the processor has them).
#pragma once

#include <cstddef>
#include <cstdint>

namespace chat {

// Of `size` bytes that follow those which gave `before` (0 = none).
std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t before = 0);

}  // namespace chat
