// A file whose end is made ready ahead of time holds what was appended, however that got there: by a copy in memory, by
// a write(), or by the second where the first could not go on.
#include "plugin/journal/mapped_tail.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "plugin/journal/bus_error.h"
#include "plugin/journal/file.h"
#include "tests/journal/records.h"

namespace chat {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSizeMax = 4U << 20;  // both whole pages of any size
constexpr std::uint64_t kAhead = 256U << 10;

class PreparedFile : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_prepare(folder_.path())) GTEST_SKIP() << "not on this machine: needs fallocate and Linux 5.14";
    ASSERT_EQ(posix_file_system().open(path_, FileSystem::Mode::kCreate, &file_, nullptr), 0);
    keeper_ = file_->keeper(path_);
    ASSERT_TRUE(keeper_->prepare(kAhead, kSizeMax));
  }

  void close() {
    file_.reset();
    keeper_.reset();
  }

  std::string content() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const BusErrorGuard bus_errors_;
  const TempFolder folder_;
  const std::string path_ = folder_.path() + "/file";
  std::unique_ptr<File> file_;
  std::shared_ptr<FileKeeper> keeper_;
};

TEST_F(PreparedFile, IsLongerWhileItIsOpenAndNotBehindThat) {
  ASSERT_EQ(file_->append("hello"), 0);
  EXPECT_GE(fs::file_size(path_), kAhead);
  EXPECT_EQ(file_->prepared(), fs::file_size(path_) - 5);
  EXPECT_EQ(content().substr(0, 7), std::string("hello\0\0", 7));
  close();
  EXPECT_EQ(content(), "hello");
}

TEST_F(PreparedFile, IsNeverMadeLongerThanWasAllowed) {
  EXPECT_TRUE(keeper_->prepare(100 * kSizeMax, kSizeMax));
  EXPECT_EQ(fs::file_size(path_), kSizeMax);
  std::string expected;
  while (expected.size() <= kSizeMax) {
    const std::string data(7919, static_cast<char>('a' + expected.size() % 26));
    ASSERT_EQ(file_->append(data), 0);
    expected += data;
    keeper_->prepare(kAhead, kSizeMax);
  }
  EXPECT_EQ(file_->prepared(), 0U);
  close();
  EXPECT_TRUE(content() == expected);
}

TEST_F(PreparedFile, ThatHasReachedItsSizeTouchesNoMemoryBehindItself) {
  // The kernel puts a mapping right below the one before it, mostly; where it does not, this shows nothing.
  void* at = ::mmap(nullptr, kSizeMax, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(at, MAP_FAILED);
  const std::string_view neighbour(static_cast<char*>(at), kSizeMax);
  std::fill_n(static_cast<char*>(at), kSizeMax, 'n');
  std::unique_ptr<File> file;
  ASSERT_EQ(posix_file_system().open(folder_.path() + "/full", FileSystem::Mode::kCreate, &file, nullptr), 0);
  const auto keeper = file->keeper(folder_.path() + "/full");
  ASSERT_TRUE(keeper->prepare(kAhead, kSizeMax));
  ASSERT_EQ(file->append(std::string(kSizeMax + 100'000, 'x')), 0);
  EXPECT_FALSE(keeper->prepare(kAhead, kSizeMax));
  EXPECT_EQ(neighbour.find_first_not_of('n'), std::string_view::npos);
  ASSERT_EQ(::munmap(at, kSizeMax), 0);
}

TEST_F(PreparedFile, HoldsWhatWasAppendedWhateverWasReady) {
  std::mt19937_64 random(test_seed());
  std::string twin;
  int copied = 0;
  int written = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto dice = random() % 100;
    if (dice < 3) {
      keeper_->prepare(1 + random() % 20'000, kSizeMax);
    } else if (dice < 4) {
      ASSERT_EQ(file_->sync(), 0);
    } else if (dice < 5) {
      twin.resize(twin.size() - std::min<std::size_t>(twin.size(), random() % 500));
      ASSERT_EQ(file_->truncate(twin.size()), 0);
    } else {
      const std::string data = random_text(random, 400);
      (data.size() <= file_->prepared() ? copied : written) += 1;
      ASSERT_EQ(file_->append(data), 0);
      twin += data;
    }
    if (dice == 50) {
      std::string back(twin.size(), '\0');
      std::size_t got = 0;
      ASSERT_EQ(file_->read(0, back.data(), back.size(), &got), 0);
      ASSERT_EQ(got, twin.size());
      ASSERT_TRUE(back == twin);
    }
  }
  EXPECT_GT(copied, 500);
  EXPECT_GT(written, 500);
  close();
  EXPECT_TRUE(content() == twin);
}

TEST_F(PreparedFile, MayBeMadeReadyWhileItIsAppendedTo) {
  std::atomic<bool> stop{false};
  std::atomic<int> prepared{0};
  std::thread prepares([&] {
    while (!stop) {
      keeper_->prepare(kAhead, kSizeMax);
      if (++prepared % 50 == 0) keeper_->sync();
    }
  });
  std::string twin;
  int copied = 0;
  for (int i = 0; i < 20'000 || prepared < 100; ++i) {
    const std::string data(static_cast<std::size_t>(1 + i % 90), static_cast<char>('a' + i % 26));
    copied += data.size() <= file_->prepared() ? 1 : 0;
    ASSERT_EQ(file_->append(data), 0);
    twin += data;
    if (i % 1000 == 999) {  // as behind a disk that had no room for the record
      twin.resize(twin.size() - 10);
      ASSERT_EQ(file_->truncate(twin.size()), 0);
    }
    if (twin.size() > kSizeMax - kAhead) {
      twin.clear();
      ASSERT_EQ(file_->truncate(0), 0);
    }
  }
  stop = true;
  prepares.join();
  EXPECT_GT(copied, 1000);
  close();
  EXPECT_TRUE(content() == twin);
}

// What was made ready between the moment in which the file's end was taken back and the moment in which the file was
// cut there is not: what is copied to behind the end of a file is gone when the file grows over it. Goal: to cut again
// and again while the other side makes ready without a pause, and to find all that was appended behind each cut.
TEST_F(PreparedFile, IsNotReadyBehindACutThatOvertookThePreparation) {
  std::atomic<bool> stop{false};
  std::atomic<int> prepared{0};
  std::thread prepares([&] {
    while (!stop) prepared += keeper_->prepare(1, kSizeMax) ? 1 : 0;  // a page: the more often
  });
  std::string twin;
  std::string back;
  int cut = 0;
  for (int i = 0; (i < 30'000 || prepared < 100) && !HasFailure(); ++i) {
    const std::string data(100, static_cast<char>('a' + i % 26));
    ASSERT_EQ(file_->append(data), 0);
    twin += data;
    twin.resize(i % 1000 == 999 ? 0 : twin.size() - 60);
    ASSERT_EQ(file_->truncate(twin.size()), 0);
    ++cut;
    ASSERT_EQ(file_->append("behind it"), 0);
    twin += "behind it";
    back.assign(twin.size(), '\0');
    std::size_t got = 0;
    ASSERT_EQ(file_->read(0, back.data(), back.size(), &got), 0);
    EXPECT_EQ(got, twin.size()) << "behind cut " << cut;
    EXPECT_TRUE(back == twin) << "behind cut " << cut;
  }
  stop = true;
  prepares.join();
}

// What a failing disk does to a mapping, provoked by what can be provoked: pages that are not the file's any more.
TEST_F(PreparedFile, ThatAnotherHandCutsDoesNotEndTheProcess) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::string data(3 * page / 2, 'x');
  ASSERT_TRUE(keeper_->prepare(16 * page, kSizeMax));
  ASSERT_EQ(file_->append(data), 0);
  fs::resize_file(path_, data.size());
  ASSERT_GT(file_->prepared(), data.size()) << "the next one is meant to meet a page that is gone";
  ASSERT_EQ(file_->append(data), 0) << "it goes the long way";
  EXPECT_EQ(file_->prepared(), 0U);
  EXPECT_FALSE(keeper_->prepare(kAhead, kSizeMax)) << "what stands in for the lost pages is no file";
  ASSERT_EQ(file_->append(data), 0);
  EXPECT_TRUE(content() == data + data + data) << content().size();
}

TEST_F(PreparedFile, ThatAnotherHandCutIsNotMadeLongerByClosingIt) {
  ASSERT_EQ(file_->append("0123456789"), 0);
  fs::resize_file(path_, 5);
  close();
  EXPECT_EQ(content(), "01234");
}

TEST_F(PreparedFile, IsTheOneThatIsLookedAfterOrNone) {
  const auto other = folder_.path() + "/other";
  const auto nowhere = file_->keeper(other);
  EXPECT_EQ(nowhere->open(), ENOENT);
  EXPECT_EQ(nowhere->sync(), ENOENT);
  std::ofstream(other) << "something else";
  EXPECT_EQ(nowhere->open(), ESTALE);
  EXPECT_FALSE(nowhere->prepare(kAhead, kSizeMax));
  nowhere->finish();
  EXPECT_EQ(fs::file_size(other), 14U) << "untouched";
  fs::rename(path_, other);
  EXPECT_EQ(nowhere->open(), 0);
  EXPECT_EQ(nowhere->sync(), 0);
}

TEST_F(PreparedFile, ThatIsFinishedIsAsLongAsWhatWasAppended) {
  ASSERT_EQ(file_->append("hello"), 0);
  keeper_->finish();
  EXPECT_EQ(content(), "hello");
  EXPECT_EQ(file_->prepared(), 0U);
  EXPECT_FALSE(keeper_->prepare(kAhead, kSizeMax));
}

// The process's bound on the size of a file, as long as it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : ignored_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    struct rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, ignored_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  struct rlimit before_ {};
  void (*ignored_)(int);
};

TEST_F(PreparedFile, OnADiskWithoutRoomIsAppendedToAsLongAsThereIsRoom) {
  const std::string data(997, 'y');
  std::string twin;
  int error = 0;
  bool prepared = true;
  {
    const FileSizeLimit limit(kAhead + 1000);
    prepared = keeper_->prepare(2 * kAhead, kSizeMax);
    while ((error = file_->append(data)) == 0) twin += data;
    if (file_->truncate(twin.size()) != 0) error = 0;
  }
  EXPECT_FALSE(prepared);
  EXPECT_EQ(error, EFBIG);
  EXPECT_GT(twin.size() + data.size(), kAhead + 1000);
  EXPECT_TRUE(keeper_->prepare(kAhead, kSizeMax)) << "there is room again";
  EXPECT_GT(file_->prepared(), data.size());
  EXPECT_EQ(file_->append(data), 0);
  close();
  EXPECT_TRUE(content() == twin + data);
}

std::atomic<int> g_others{0};

void others(int /*signal*/) {
  ++g_others;
}

TEST(BusErrors, OfOthersGoToTheHandlerThatWasThereAndItComesBack) {
  g_others = 0;
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGBUS, nullptr, &before), 0);
  struct sigaction theirs {};
  theirs.sa_handler = others;
  ASSERT_EQ(::sigaction(SIGBUS, &theirs, nullptr), 0);
  {
    const BusErrorGuard one;
    { const BusErrorGuard another; }
    struct sigaction now {};
    ASSERT_EQ(::sigaction(SIGBUS, nullptr, &now), 0);
    EXPECT_NE(now.sa_handler, others);
    ASSERT_EQ(::raise(SIGBUS), 0);
    EXPECT_EQ(g_others, 1);
  }
  struct sigaction now {};
  ASSERT_EQ(::sigaction(SIGBUS, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, others);
  ASSERT_EQ(::sigaction(SIGBUS, &before, nullptr), 0);
}

TEST(BusErrors, WhereTheyWereIgnoredWhatAnotherProcessSendsStillIs) {
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGBUS, nullptr, &before), 0);
  ::signal(SIGBUS, SIG_IGN);
  {
    const BusErrorGuard guard;
    ASSERT_EQ(::raise(SIGBUS), 0);
    struct sigaction now {};
    ASSERT_EQ(::sigaction(SIGBUS, nullptr, &now), 0);
    EXPECT_NE(now.sa_handler, SIG_IGN) << "and the handler stays";
  }
  ASSERT_EQ(::sigaction(SIGBUS, &before, nullptr), 0);
}

TEST(BusErrorsDeathTest, OfOthersEndTheProcessWhereNobodyHandlesThem) {
  EXPECT_EXIT(
      {
        ::signal(SIGBUS, SIG_DFL);
        const BusErrorGuard guard;
        ::raise(SIGBUS);
        ::_exit(0);
      },
      testing::KilledBySignal(SIGBUS), "");
  EXPECT_EXIT(
      {
        ::signal(SIGBUS, SIG_DFL);
        const BusErrorGuard guard;
        const int fd = ::memfd_create("empty", 0);
        auto* page = static_cast<volatile char*>(::mmap(nullptr, 1, PROT_READ, MAP_SHARED, fd, 0));
        ::_exit(*page);
      },
      testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace chat
