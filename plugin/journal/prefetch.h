// Memory that is about to be written, fetched into the caches while others have the processor. What is written once and
// left behind (the journal's pages, the blocks of messages in memory) is never there by itself, and is read as soon as
// it is written: it was 3 to 4 % of the publishes a second (docs/benchmarks.md, "What a publish costs").
#pragma once

#include <cstddef>

namespace chat {

// `bytes` from `at` on; they need not be mapped.
inline void prefetch_to_write(const char* at, std::size_t bytes) {
  constexpr std::size_t kLine = 64;  // x86's and most of ARM's; where they are longer, some are asked for twice
  constexpr int kWrite = 1;
  for (std::size_t line = 0; line < bytes; line += kLine) __builtin_prefetch(at + line, kWrite);
}

}  // namespace chat
