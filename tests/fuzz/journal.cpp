// The journal's reading side: bytes are changes to a journal that a killed process left. However it is damaged, opening
// and reading it gives only records that were written, each that was not touched, and goes on at new positions. A
// record of any body whose checksum is right is decoded to what encodes to the same bytes, or refused.
#include "plugin/journal/journal.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plugin/journal/format.h"
#include "plugin/journal/state.h"
#include "storage/uuid.h"
#include "tests/fuzz/target.h"
#include "tests/journal/fault_file_system.h"

namespace chat::fuzz {
namespace {

using Records = std::vector<std::pair<Position, Record>>;
using Files = std::map<std::string, std::string>;

constexpr const char* kState = "/journal/state";

// Numbers and stretches of bytes off the front; zeros where nothing is left.
class Script {
 public:
  explicit Script(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::size_t below(std::size_t bound) {
    const std::size_t value = byte() * 256U + byte();
    return bound == 0 ? 0 : value % bound;
  }
  std::string_view bytes() {
    const auto part = rest_.substr(0, byte());
    rest_.remove_prefix(part.size() < rest_.size() ? part.size() : rest_.size());
    return part;
  }

 private:
  std::string_view rest_;
};

JournalOptions options() {
  JournalOptions options;
  options.folder = "/journal";
  options.segment_bytes = 300;
  options.sync = JournalOptions::Sync::kNever;
  return options;
}

MessageRecord message(Seq seq) {
  MessageRecord record;
  record.message.conv_id = 7;
  record.message.conv = "g:team";
  record.message.seq = seq;
  record.message.sender = "alice";
  record.message.mentions = {"bob", "carol"};
  record.message.payload = R"({"body":"number )" + std::to_string(seq) + R"("})";
  record.device = "phone";
  return record;
}

Record as_read(Record record, Position position) {
  if (auto* command = std::get_if<CommandRecord>(&record)) command->command.position = position;
  return record;
}

// What a killed process left: records of each kind in three segments.
struct Original {
  Files files;
  Records written;
  Uuid id{};

  Original() {
    FaultFileSystem disk;
    JournalError error;
    auto journal = Journal::open(options(), disk, &error);
    id = journal->id();
    CommandRecord command;
    command.command.operation = "recall";
    command.command.payload = R"({"seq":1})";
    const std::vector<Record> records = {message(1),
                                         CursorRecord{{7, "bob", "tab", 1, 0, 1, 5}, 0},
                                         command,
                                         message(2),
                                         ParkedRecord{"carol", "pc", "chat/d/dave/msg", "{}", 9, 1},
                                         message(3),
                                         ResolvedRecord{64},
                                         message(4)};
    for (const auto& record : records) {
      Position position = 0;
      const auto append = [&](const auto& one) { return journal->append(one, &position); };
      require(std::visit(append, record) == AppendResult::kOk, "the journal takes a record");
      written.emplace_back(position, as_read(record, position));
    }
    disk.kill();
    journal.reset();
    disk.start();
    for (const auto& path : disk.paths()) {
      if (path.ends_with(".seg") || path == kState) files[path] = disk.content(path);
    }
  }
};

// A journal that was damaged, and which records may be found in it.
struct Damaged {
  FaultFileSystem disk;
  Records possible;
  bool same_journal = true;  // nothing says that it is another one

  std::string* file(Files* files, Script& script) {
    auto at = files->begin();
    std::advance(at, static_cast<std::ptrdiff_t>(script.below(files->size())));
    return &at->second;
  }
};

// Behind the last byte of the last segment, a body that no program wrote, sealed as a record is.
void seal(const Original& original, std::string_view body, Files* files, Records* possible) {
  auto last = files->end();
  for (auto at = files->begin(); at != files->end(); ++at) {
    if (at->first.ends_with(".seg")) last = at;
  }
  if (last == files->end() || last->second.size() < kSegmentHeaderBytes || body.empty()) return;
  const auto base = segment_base(last->first.substr(last->first.rfind('/') + 1));
  const Position position = *base + last->second.size() - kSegmentHeaderBytes;
  std::string record(kRecordHeaderBytes, '\0');
  record += body;
  RecordSeal(original.id).close(position, &record);
  last->second += record;
  Record decoded;
  if (!plausible_type(body.front()) || !decode(body, &decoded)) return;
  possible->emplace_back(position, as_read(decoded, position));
}

void damage(const Original& original, Script script, Damaged* damaged) {
  Files files = original.files;
  damaged->possible = original.written;
  while (!script.empty() && !files.empty()) {
    const auto what = script.byte() % 7;
    if (what == 6) {
      seal(original, script.bytes(), &files, &damaged->possible);
      continue;
    }
    std::string& bytes = *damaged->file(&files, script);
    if (&bytes == &files[kState]) damaged->same_journal = false;
    const auto at = script.below(bytes.size() + 1);
    switch (what) {
      case 0:  // one byte changed
        if (at < bytes.size()) bytes[at] = static_cast<char>(script.byte());
        break;
      case 1:  // cut off
        bytes.resize(at);
        break;
      case 2:  // put in
        bytes.insert(at, script.bytes());
        break;
      case 3:  // written over
        for (const char c : script.bytes()) {
          if (at < bytes.size()) bytes[at] = c;
        }
        break;
      case 4:  // zeros to the end
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), '\0');
        break;
      default: {  // another file's bytes
        const std::string other = *damaged->file(&files, script);
        bytes = other;
      }
    }
    if (bytes.empty() && what == 1) std::erase_if(files, [&](const auto& file) { return &file.second == &bytes; });
  }
  if (!files.contains(kState)) damaged->same_journal = false;
  for (const auto& [path, content] : files) damaged->disk.set_content(path, content);
}

Records read_all(Journal& journal, Position from) {
  Records records;
  const auto reader = journal.read(from);
  std::size_t corrupt = 0;
  Position before = 0;
  while (true) {
    Record record;
    Position position = 0;
    const auto result = reader->next(&record, &position);
    if (result == JournalReader::Result::kEnd) break;
    if (result == JournalReader::Result::kCorrupt) {
      require(!reader->error().empty(), "what is corrupt is told in a sentence");
      require(++corrupt < 10'000, "reading comes to an end");
      continue;
    }
    require(position > before, "positions rise");
    before = position;
    records.emplace_back(position, std::move(record));
  }
  return records;
}

// Whether the record's bytes stand in the files as they were written.
bool untouched(const Original& original, const FaultFileSystem& disk, std::size_t index) {
  const Position from = original.written[index].first;
  for (const auto& [path, content] : original.files) {
    if (!path.ends_with(".seg")) continue;
    const auto base = *segment_base(path.substr(path.rfind('/') + 1));
    const Position end = base + content.size() - kSegmentHeaderBytes;
    if (from < base || from >= end) continue;
    const bool last = index + 1 == original.written.size() || original.written[index + 1].first >= end;
    const auto size = (last ? end : original.written[index + 1].first) - from;
    const auto offset = from - base + kSegmentHeaderBytes;
    const std::string now = disk.content(path);
    return now.size() >= offset + size && now.compare(offset, size, content, offset, size) == 0;
  }
  return false;
}

void check_decode(std::string_view body) {
  Record record;
  if (!decode(body, &record)) return;
  std::string again;
  std::visit([&](const auto& one) { encode(one, &again); }, record);
  require(again == body, "a record that is decoded encodes to the same bytes");
}

void check_header(std::string_view bytes) {
  SegmentHeader header;
  std::uint32_t version = 0;
  if (decode_header(bytes, &header, &version) != HeaderState::kGood) return;
  require(bytes.starts_with(encode_header(header).substr(0, 8)), "a header begins with the magic");
}

void check_state(std::string_view bytes) {
  FaultFileSystem disk;
  disk.set_content(kState, std::string(bytes));
  JournalState state;
  if (read_state(disk, "/journal", &state) != StateFile::kGood) return;
  require(state.losses >= 0, "losses are counted from zero");
  require(write_state(disk, "/journal", state) == 0, "a state that was read is written");
  JournalState again;
  require(read_state(disk, "/journal", &again) == StateFile::kGood && again == state,
          "a state that is read and written is the same");
}

void check_open(const Original& original, std::string_view bytes) {
  Script script(bytes);
  const Position from = script.below(2000);
  Damaged damaged;
  damage(original, script, &damaged);
  std::set<std::size_t> whole;
  for (std::size_t i = 0; i < original.written.size(); ++i) {
    if (untouched(original, damaged.disk, i)) whole.insert(i);
  }
  JournalError error;
  auto journal = Journal::open(options(), damaged.disk, &error);
  if (journal == nullptr) {
    require(!error.what.empty(), "a journal that is not opened says why");
    for (const auto i : whole) {
      require(untouched(original, damaged.disk, i), "what is not opened is not changed", error.what);
    }
    return;
  }
  auto records = read_all(*journal, journal->begin());
  for (const auto& record : records) {
    require(std::find(damaged.possible.begin(), damaged.possible.end(), record) != damaged.possible.end(),
            "no record is read that was not written");
    require(record.first < journal->end(), "no record lies behind the end");
  }
  if (damaged.same_journal) {
    for (const auto i : whole) {
      require(std::find(records.begin(), records.end(), original.written[i]) != records.end(),
              "a record that was not touched is read");
    }
  }
  // From a position that is no record's: any checkpoint that another program left.
  for (const auto& record : read_all(*journal, from)) {
    require(std::find(records.begin(), records.end(), record) != records.end(),
            "reading from anywhere gives the same records");
  }
  Position position = 0;
  const auto last = journal->end();
  require(journal->append(message(99), &position) == AppendResult::kOk && position >= last,
          "it goes on behind everything");
  records.emplace_back(position, message(99));
  require(read_all(*journal, journal->begin()) == records, "what was read is read again, and what was appended");
  journal.reset();
  journal = Journal::open(options(), damaged.disk, &error);
  require(journal != nullptr, "what was opened once is opened again", error.what);
  require(read_all(*journal, journal->begin()) == records, "opening again loses nothing");
}

}  // namespace

void journal(std::string_view bytes) {
  static const Original original;
  check_decode(bytes);
  check_header(bytes);
  check_state(bytes);
  check_open(original, bytes);
}

}  // namespace chat::fuzz

CHAT_FUZZ_TARGET(journal);
