#include "tests/journal/records.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "plugin/journal/state.h"

namespace chat {

std::uint64_t test_seed() {
  const char* given = std::getenv("CHAT_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "CHAT_SEED=" << seed << std::endl;
  return seed;
}

std::string random_text(std::mt19937_64& random, std::size_t bytes_max) {
  std::string text(random() % (bytes_max + 1), '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

Record random_record(std::mt19937_64& random, std::size_t text_bytes_max) {
  const auto text = [&] { return random_text(random, text_bytes_max); };
  const auto number = [&] { return static_cast<std::int64_t>(random() >> (random() % 64)); };
  switch (random() % 5) {
    case 0: {
      MessageRecord r;
      r.message.conv_id = number();
      r.message.conv = text();
      r.message.seq = number();
      r.message.server_time = number();
      r.message.sender = text();
      r.message.id = text();
      for (auto& byte : r.message.mid) byte = static_cast<std::uint8_t>(random());
      r.message.type = static_cast<MessageType>(random() % 8);
      r.message.reply_to = number();
      r.message.ttl_s = number();
      for (std::size_t i = random() % 4; i > 0; --i) r.message.mentions.push_back(text());
      r.message.payload = text();
      r.device = text();
      r.resolves = static_cast<Position>(number());
      return r;
    }
    case 1:
      return CursorRecord{{number(), text(), text(), number(), number(), number(), number()},
                          static_cast<Position>(number())};
    case 2:
      return CommandRecord{{0, number(), text(), text(), text(), number(), text()}, static_cast<Position>(number())};
    case 3:
      return ParkedRecord{text(), text(), text(), text(), number(), static_cast<std::uint8_t>(random() % 3)};
    default:
      return ResolvedRecord{static_cast<Position>(number())};
  }
}

MessageRecord small_message(Seq seq) {
  MessageRecord r;
  r.message.conv_id = 7;
  r.message.conv = "g:test";
  r.message.seq = seq;
  r.message.server_time = 1'700'000'000'000 + seq;
  r.message.sender = "alice";
  r.message.payload = R"({"body":"number )" + std::to_string(seq) + R"("})";
  r.device = "phone";
  return r;
}

AppendResult append(Journal& journal, const Record& record, Position* position) {
  return std::visit([&](const auto& r) { return journal.append(r, position); }, record);
}

Record as_read(Record record, Position position) {
  if (auto* command = std::get_if<CommandRecord>(&record)) command->command.position = position;
  return record;
}

ReadBack read_all(Journal& journal, Position from) {
  ReadBack back;
  const auto reader = journal.read(from);
  while (true) {
    Record record;
    Position position = 0;
    const auto result = reader->next(&record, &position);
    if (result == JournalReader::Result::kEnd) break;
    if (result == JournalReader::Result::kCorrupt) {
      EXPECT_FALSE(reader->error().empty());
      back.corrupt.push_back(reader->error());
    } else {
      back.records.emplace_back(position, std::move(record));
    }
  }
  back.position = reader->position();
  return back;
}

void change_boot(FileSystem& file_system) {
  JournalState state;
  ASSERT_EQ(read_state(file_system, "/journal", &state), StateFile::kGood);
  state.boot = "11111111-2222-3333-4444-555555555555";
  ASSERT_EQ(write_state(file_system, "/journal", state), 0);
}

std::unique_ptr<Journal> open_journal(const JournalOptions& options, FileSystem& file_system) {
  JournalError error;
  auto journal = Journal::open(options, file_system, &error);
  EXPECT_NE(journal, nullptr) << error.what;
  return journal;
}

bool can_prepare(const std::string& folder) {
  const std::string path = folder + "/probe";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  bool can = fd >= 0 && ::fallocate(fd, 0, 0, static_cast<off_t>(page)) == 0;
  void* at = can ? ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  constexpr int kPopulateWrite = 23;  // Linux 5.14's
  can = at != MAP_FAILED && ::madvise(at, page, kPopulateWrite) == 0;
  if (at != MAP_FAILED) ::munmap(at, page);
  if (fd >= 0) ::close(fd);
  std::filesystem::remove(path);
  return can;
}

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "chat-journal-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace chat
