// A thread whose descriptors are its own; and the journal between it and the thread that appends, as in the broker:
// there one number is two files, and nobody may use or close the other's.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include "plugin/threads/aside.h"
#include "tests/journal/records.h"

namespace chat {
namespace {

namespace fs = std::filesystem;

// Descriptors of files of one's own: those that are there at the end have to be the ones that were opened.
class Bystanders {
 public:
  explicit Bystanders(std::string folder) : folder_(std::move(folder)) {}
  ~Bystanders() { EXPECT_TRUE(held_.empty()) << "they are closed where they were opened"; }
  Bystanders(const Bystanders&) = delete;
  Bystanders& operator=(const Bystanders&) = delete;

  void open(int count) {
    for (int i = 0; i < count; ++i) {
      const int fd = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
      ASSERT_GE(fd, 0);
      held_[fd] = inode(fd);
    }
  }
  // So that other numbers are free here than there.
  void close_some(std::mt19937_64& random) {
    for (auto at = held_.begin(); at != held_.end();) {
      if (random() % 3 != 0) {
        ++at;
        continue;
      }
      ::close(at->first);
      at = held_.erase(at);
    }
  }
  void expect_untouched_and_close() {
    for (const auto& [fd, wanted] : held_) {
      EXPECT_EQ(inode(fd), wanted) << fd;
      EXPECT_EQ(::lseek(fd, 0, SEEK_END), 0) << "something was written to " << fd;
      ::close(fd);
    }
    held_.clear();
  }

 private:
  static ino_t inode(int fd) {
    struct stat st {};
    return ::fstat(fd, &st) == 0 ? st.st_ino : 0;
  }
  const std::string folder_;
  std::map<int, ino_t> held_;
};

// Asked of the kernel and not of the code under test.
bool can_be_apart() {
#ifdef __SANITIZE_THREAD__
  return false;
#else
  bool can = false;
  std::thread([&can] { can = ::close_range(~0U - 1, ~0U, CLOSE_RANGE_UNSHARE) == 0; }).join();
  return can;
#endif
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(AsideTest, HasDescriptorsOfItsOwnAndSoHaveTheThreadsThatAreMadeThere) {
  const TempFolder folder;
  const auto open_one = [&] { return ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); };
  const int before = open_one();
  Aside aside(Aside::Descriptors::kOwn);
  if (!can_be_apart()) GTEST_SKIP() << "not on this machine: needs Linux 5.9, and no ThreadSanitizer";
  ASSERT_TRUE(aside.apart());
  EXPECT_TRUE(is_open(before));
  aside.run([&] {
    EXPECT_FALSE(is_open(before));
    EXPECT_TRUE(is_open(STDERR_FILENO));
    const int one = open_one();
    EXPECT_EQ(one, 3) << "nothing of the others' is held there";
    std::thread made([&] {
      EXPECT_TRUE(is_open(one));
      EXPECT_FALSE(before != one && is_open(before));
      ::close(one);
    });
    made.join();
    EXPECT_FALSE(is_open(one)) << "the two share theirs";
  });
  EXPECT_TRUE(is_open(before));
  ::close(before);
}

TEST(AsideTest, SharesThemWhereThatIsWanted) {
  const TempFolder folder;
  Aside aside(Aside::Descriptors::kShared);
  EXPECT_FALSE(aside.apart());
  const int here = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  aside.run([&] { ::close(here); });
  EXPECT_FALSE(is_open(here));
}

TEST(AsideTest, DoesOneThingAfterTheOtherOnOneThreadAndThrowsWhatThatThrew) {
  Aside aside(Aside::Descriptors::kOwn);
  std::set<std::thread::id> threads;
  for (int i = 0; i < 100; ++i) {
    aside.run([&] { threads.insert(std::this_thread::get_id()); });
    EXPECT_THROW(aside.run([] { throw std::runtime_error("no"); }), std::runtime_error);
  }
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

class JournalApart : public testing::TestWithParam<JournalOptions::Sync> {
 protected:
  void SetUp() override {
    if (!can_be_apart()) GTEST_SKIP() << "not on this machine: needs Linux 5.9, and no ThreadSanitizer";
    ASSERT_TRUE(aside_.apart());
  }

  JournalOptions options(std::uint64_t segment_bytes) {
    JournalOptions options;
    options.folder = folder_.path() + "/journal";
    options.segment_bytes = segment_bytes;
    options.sync = GetParam();
    options.interval = std::chrono::milliseconds(1);
    options.aside = [this](const std::function<void()>& work) { aside_.run(work); };
    return options;
  }

  const TempFolder folder_;
  Aside aside_{Aside::Descriptors::kOwn};
};

INSTANTIATE_TEST_SUITE_P(All, JournalApart,
                         testing::Values(JournalOptions::Sync::kInterval, JournalOptions::Sync::kNever),
                         [](const auto& given) {
                           return given.param == JournalOptions::Sync::kInterval ? "Interval" : "Never";
                         });

TEST_P(JournalApart, NeitherSideTouchesTheOthersFiles) {
  std::mt19937_64 random(test_seed());
  Bystanders here(folder_.path());
  Bystanders there(folder_.path());
  here.open(20);
  aside_.run([&] { there.open(30); });
  for (const std::uint64_t prepare_from : {0ULL, ~0ULL}) {
    auto how = options(30'000);
    how.prepare_from = prepare_from;
    if (GetParam() == JournalOptions::Sync::kInterval && prepare_from == 0)
      how.interval = std::chrono::milliseconds(50);
    std::unique_ptr<Journal> journal;
    Seq appended = 0;
    Seq seen = 0;
    for (int round = 0; round < 30; ++round) {
      if (round % 10 == 0) {
        journal.reset();
        journal = open_journal(how, posix_file_system());
      }
      for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(journal->append(small_message(++appended), nullptr), AppendResult::kOk) << journal->last_error();
      }
      here.open(static_cast<int>(random() % 8));
      here.close_some(random);
      aside_.run([&] {
        there.open(static_cast<int>(random() % 8));
        there.close_some(random);
        EXPECT_EQ(journal->sync_now(), 0);
        EXPECT_EQ(journal->synced(), journal->end());
        const auto back = read_all(*journal, journal->begin());
        EXPECT_TRUE(back.corrupt.empty());
        ASSERT_FALSE(back.records.empty());
        EXPECT_EQ(back.records.back().second, Record(small_message(appended)));
        seen = std::max(seen, appended);
        journal->trim(journal->end());
      });
    }
    journal.reset();
    EXPECT_EQ(seen, appended);
    for (const auto& entry : fs::directory_iterator(how.folder)) EXPECT_NE(entry.path().filename(), "spare.tmp");
    const auto again = open_journal(how, posix_file_system());
    EXPECT_EQ(again->cut_bytes(), 0U) << "it was closed as it should be";
  }
  here.expect_untouched_and_close();
  aside_.run([&] { there.expect_untouched_and_close(); });
}

// The process's bound on descriptors, as long as it lives: none is free.
class NoDescriptorIsFree {
 public:
  NoDescriptorIsFree() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    struct rlimit limit = before_;
    const int next = ::dup(STDERR_FILENO);
    ::close(next);
    limit.rlim_cur = static_cast<rlim_t>(next);
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~NoDescriptorIsFree() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptorIsFree(const NoDescriptorIsFree&) = delete;
  NoDescriptorIsFree& operator=(const NoDescriptorIsFree&) = delete;

 private:
  struct rlimit before_ {};
};

// As a broker with more clients than its operator thought of.
TEST_P(JournalApart, WhoHasNoDescriptorFreeRefusesForAWhileAndLosesNothing) {
  auto journal = open_journal(options(3000), posix_file_system());
  Seq appended = 0;
  const auto append = [&] { return journal->append(small_message(appended + 1), nullptr); };
  const auto segments = [&] {
    const fs::directory_iterator files(folder_.path() + "/journal");
    return std::count_if(begin(files), end(files), [](const auto& file) { return file.path().extension() == ".seg"; });
  };
  // The append side has the spare open: whoever has not, and no descriptor either, can't go on.
  const auto has_the_spare = [] {
    const fs::directory_iterator open_here("/proc/thread-self/fd");
    return std::any_of(begin(open_here), end(open_here), [](const auto& descriptor) {
      std::error_code gone;
      return fs::read_symlink(descriptor.path(), gone).filename() == "spare.tmp";
    });
  };
  ASSERT_TRUE(comes_true([&] {
    appended += append() == AppendResult::kOk ? 1 : 0;
    return has_the_spare();
  })) << journal->last_error();
  std::vector<int> clients;
  {
    const NoDescriptorIsFree full;
    // The file that is left gives its descriptor to the next but one, as soon as the journal's thread has made that.
    for (int i = 0; i < 500; ++i, ++appended) {
      ASSERT_TRUE(comes_true([&] { return append() == AppendResult::kOk; })) << journal->last_error();
    }
    AppendResult result = AppendResult::kOk;
    while (appended < 100'000 && (result = append()) == AppendResult::kOk) {
      ++appended;
      for (int client = ::dup(STDERR_FILENO); client >= 0; client = ::dup(STDERR_FILENO)) clients.push_back(client);
    }
    EXPECT_EQ(result, AppendResult::kFull);
    EXPECT_NE(journal->last_error().find("open files"), std::string::npos) << journal->last_error();
    EXPECT_EQ(append(), AppendResult::kFull) << "and again";
  }
  EXPECT_GT(segments(), 10);
  for (const int client : clients) ::close(client);
  for (int i = 0; i < 100; ++i, ++appended) ASSERT_EQ(append(), AppendResult::kOk) << journal->last_error();
  aside_.run([&] { EXPECT_EQ(journal->sync_now(), 0); });
  const auto back = read_all(*journal, journal->begin());
  EXPECT_TRUE(back.corrupt.empty());
  ASSERT_EQ(back.records.size(), static_cast<std::size_t>(appended));
  EXPECT_EQ(back.records.back().second, Record(small_message(appended)));
}

}  // namespace
}  // namespace chat
