// How much is made ready, and who is woken for it.
#include "plugin/journal/preparer.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

class CountingKeeper : public FileKeeper {
 public:
  int open() override { return 0; }
  int sync() override { return 0; }
  bool prepare(std::uint64_t bytes, std::uint64_t size_max) override {
    ++calls;
    EXPECT_EQ(size_max, 5'000'000U);
    ready = able ? bytes : 0;
    return able;
  }
  void finish() override {}

  int calls = 0;
  bool able = true;
  std::uint64_t ready = 0;
};

class CountingFile : public File {
 public:
  int append(std::string_view /*data*/) override { return 0; }
  int read(std::uint64_t /*offset*/, char* /*to*/, std::size_t /*size*/, std::size_t* /*got*/) override { return 0; }
  int truncate(std::uint64_t /*size*/) override { return 0; }
  int sync() override { return 0; }
  std::uint64_t prepared() const override { return kept.ready; }
  std::shared_ptr<FileKeeper> keeper(std::string /*path*/) override { return nullptr; }

  CountingKeeper kept;
};

class Preparing : public testing::Test {
 protected:
  static constexpr std::uint64_t kFrom = 32U << 10;

  void round(std::uint64_t bytes) {
    end_ += bytes;
    preparer_.measure(end_);
    preparer_.prepare(file_.kept);
  }

  Position end_ = 1'000'000;
  Preparer preparer_{kFrom, 5'000'000, end_};
  CountingFile file_;
};

TEST_F(Preparing, BelowItsBoundNothingIsMadeReadyAndNobodyIsWoken) {
  round(kFrom - 1);
  EXPECT_EQ(file_.kept.calls, 0);
  EXPECT_FALSE(preparer_.asks_for_more(file_));
}

TEST_F(Preparing, FromItsBoundOnTwiceARoundsBytesWithinBounds) {
  round(kFrom);
  EXPECT_EQ(file_.kept.ready, 2 * kFrom);
  EXPECT_EQ(2 * kFrom, Preparer::kAheadMin);
  round(200'000);
  EXPECT_EQ(file_.kept.ready, 400'000U);
  round(100'000'000);
  EXPECT_EQ(file_.kept.ready, Preparer::kAheadMax);
  round(0);
  EXPECT_EQ(file_.kept.calls, 3) << "quiet again";
}

TEST_F(Preparing, TheThreadIsWokenOnceWhenHalfIsUsedUp) {
  round(200'000);
  EXPECT_FALSE(preparer_.asks_for_more(file_));
  file_.kept.ready = 200'000;
  EXPECT_FALSE(preparer_.asks_for_more(file_));
  file_.kept.ready = 199'999;
  EXPECT_TRUE(preparer_.asks_for_more(file_));
  EXPECT_FALSE(preparer_.asks_for_more(file_)) << "it was told";
  EXPECT_TRUE(preparer_.wanted());
  preparer_.prepare(file_.kept);
  EXPECT_FALSE(preparer_.wanted());
  EXPECT_EQ(file_.kept.ready, 400'000U);
}

TEST_F(Preparing, AFileThatCannotBePreparedWakesNobodyBeforeTheNextRound) {
  file_.kept.able = false;
  round(200'000);
  EXPECT_EQ(file_.kept.calls, 1);
  EXPECT_FALSE(preparer_.asks_for_more(file_));
  preparer_.prepare(file_.kept);
  EXPECT_EQ(file_.kept.calls, 1);
  file_.kept.able = true;
  round(200'000);
  EXPECT_EQ(file_.kept.calls, 2);
}

TEST(PreparingNever, IsNever) {
  Preparer preparer(Preparer::kNever, 5'000'000, 64);
  CountingFile file;
  preparer.measure(1ULL << 40);
  preparer.prepare(file.kept);
  EXPECT_EQ(file.kept.calls, 0);
}

}  // namespace
}  // namespace chat
