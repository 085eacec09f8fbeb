// Where, among a few places, something that was used lately is kept: a guess that is compared with what is looked for,
// and replaced when it was wrong.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace chat {

// By all bits of `key`: multiplicative ("Fibonacci") hashing; Knuth, The Art of Computer Programming 3, 6.4.
template <std::size_t kPlaces>
constexpr std::size_t place_of(std::uint64_t key) {
  static_assert(std::has_single_bit(kPlaces) && kPlaces > 1);
  return key * 0x9e3779b97f4a7c15ULL >> (64 - std::countr_zero(kPlaces));
}

}  // namespace chat
