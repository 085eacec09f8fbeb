// A fuzz target: a property that has to hold for every sequence of bytes.
//
// One file a target. The "fuzz" preset makes of each a program in which libFuzzer looks for bytes that break it (./dev
// fuzz); the ordinary tests are linked with the same files and replay the corpus, whatever the compiler
// (replay_test.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace chat::fuzz {

struct Target {
  std::string_view name;
  void (*check)(std::string_view bytes);
};

// Those that this program is linked with.
inline std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

inline bool add_target(std::string_view name, void (*check)(std::string_view bytes)) {
  targets().push_back({name, check});
  return true;
}

// Ends the program where the property does not hold, as libFuzzer wants it: no code under test can catch that.
inline void require(bool holds, std::string_view sentence, std::string_view value = "") {
  if (holds) return;
  std::fprintf(stderr, "\nFALSE: %.*s\n  %.*s\n", static_cast<int>(sentence.size()), sentence.data(),
               static_cast<int>(value.size()), value.data());
  std::abort();
}

// Takes the first line off, without its end. What a person can read and write makes the better corpus.
inline std::string_view take_line(std::string_view* rest) {
  const auto end = rest->find('\n');
  const auto line = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  return line;
}

}  // namespace chat::fuzz

// At the end of a target's file, outside of every namespace: `name` is a function of chat::fuzz.
#ifdef CHAT_FUZZER
#define CHAT_FUZZ_TARGET(name)                                                                           \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {                    \
    chat::fuzz::name(std::string_view(reinterpret_cast<const char*>(data), data == nullptr ? 0 : size)); \
    return 0;                                                                                            \
  }                                                                                                      \
  static_assert(true)
#else
#define CHAT_FUZZ_TARGET(name)                                                                   \
  namespace {                                                                                    \
  [[maybe_unused]] const bool name##_is_added = chat::fuzz::add_target(#name, chat::fuzz::name); \
  }                                                                                              \
  static_assert(true)
#endif
