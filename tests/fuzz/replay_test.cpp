// The corpus of each fuzz target that this program is linked with: inputs by hand that show what there is, and those by
// which a fault was found. libFuzzer goes on from them; here they are replayed, with any compiler.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/fuzz/target.h"

namespace chat::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr int kInputsMin = 4;  // of each target

class FuzzCorpus : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, EveryInputHolds) {
  int inputs = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(CHAT_FUZZ_CORPUS) / GetParam().name)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::cout << entry.path().filename() << ": " << bytes.size() << " bytes" << std::endl;
    GetParam().check(bytes);
    // Cut short anywhere, it is another input.
    for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 50) {
      GetParam().check(std::string_view(bytes).substr(0, size));
    }
    ++inputs;
  }
  EXPECT_GE(inputs, kInputsMin);
}

INSTANTIATE_TEST_SUITE_P(All, FuzzCorpus, ::testing::ValuesIn(targets()),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(FuzzTarget, APropertyThatDoesNotHoldEndsTheProgram) {
  ASSERT_FALSE(targets().empty());
  EXPECT_DEATH(require(false, "black is white", "grey"), "FALSE: black is white\n  grey");
}

}  // namespace
}  // namespace chat::fuzz
