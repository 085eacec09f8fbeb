// Chance that can be repeated: one seed for the whole program, printed at its first use, taken from CHAT_SEED where
// set.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace chat::test {

std::uint64_t seed();

// A generator for one purpose: the same seed and purpose always give the same numbers, whatever else ran before.
std::mt19937_64 generator(const std::string& purpose);

// A few letters that differ from run to run, for names that must not meet those of an earlier run.
std::string run_tag();

}  // namespace chat::test
