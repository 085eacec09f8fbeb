#include "plugin/journal/state.h"

#include <sys/random.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <random>

#include "storage/uuid.h"

namespace chat {
namespace {

constexpr std::string_view kFirstWords = "mosquitto-chat journal ";
constexpr std::string_view kVersion = "1";
constexpr std::string_view kUnknownBoot = "unknown";
constexpr std::size_t kStateBytesMax = 4096;

std::string state_path(const std::string& folder) {
  return folder + "/state";
}

// Takes one line off the front and answers what follows `key` in it; false where the line is another.
bool take_line(std::string_view* text, std::string_view key, std::string_view* value) {
  const std::size_t end = text->find('\n');
  if (end == std::string_view::npos || !text->starts_with(key)) return false;
  *value = text->substr(key.size(), end - key.size());
  text->remove_prefix(end + 1);
  return true;
}

bool take_uuid(std::string_view text, Uuid* id) {
  const auto parsed = parse_uuid(text);
  if (parsed) *id = *parsed;
  return parsed.has_value();
}

// One of two words; false where it is neither.
bool take_word(std::string_view text, std::string_view yes, std::string_view no, bool* is_yes) {
  *is_yes = text == yes;
  return text == yes || text == no;
}

bool take_count(std::string_view text, std::int64_t* count) {
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, *count);
  return error == std::errc() && behind == end && *count >= 0;
}

}  // namespace

StateFile read_state(FileSystem& file_system, const std::string& folder, JournalState* state) {
  std::unique_ptr<File> file;
  const int error = file_system.open(state_path(folder), FileSystem::Mode::kRead, &file, nullptr);
  if (error == ENOENT) return StateFile::kMissing;
  if (error != 0) return StateFile::kDamaged;
  std::string bytes(kStateBytesMax, '\0');
  std::size_t got = 0;
  if (file->read(0, bytes.data(), bytes.size(), &got) != 0) return StateFile::kDamaged;
  std::string_view text(bytes.data(), got);
  std::string_view version;
  std::string_view id;
  std::string_view boot;
  std::string_view closed;
  std::string_view sync;
  std::string_view losses;
  if (!take_line(&text, kFirstWords, &version)) return StateFile::kDamaged;
  if (version != kVersion) return StateFile::kNewer;
  if (!take_line(&text, "id ", &id) || !take_uuid(id, &state->journal)) return StateFile::kDamaged;
  if (!take_line(&text, "boot ", &boot)) return StateFile::kDamaged;
  if (!take_line(&text, "closed ", &closed) || !take_word(closed, "yes", "no", &state->closed)) {
    return StateFile::kDamaged;
  }
  if (!take_line(&text, "sync ", &sync) || !take_word(sync, "always", "later", &state->sync_always)) {
    return StateFile::kDamaged;
  }
  if (!take_line(&text, "losses ", &losses) || !take_count(losses, &state->losses)) return StateFile::kDamaged;
  state->boot = boot;
  return StateFile::kGood;
}

int write_state(FileSystem& file_system, const std::string& folder, const JournalState& state) {
  const std::string text = std::string(kFirstWords) + std::string(kVersion) + "\nid " + uuid_text(state.journal) +
                           "\nboot " + state.boot + "\nclosed " + (state.closed ? "yes" : "no") + "\nsync " +
                           (state.sync_always ? "always" : "later") + "\nlosses " + std::to_string(state.losses) + "\n";
  const std::string fresh = state_path(folder) + ".tmp";
  int error = file_system.remove(fresh);  // of a run that died in here
  if (error != 0 && error != ENOENT) return error;
  std::unique_ptr<File> file;
  error = file_system.open(fresh, FileSystem::Mode::kCreate, &file, nullptr);
  if (error == 0) error = file->append(text);
  if (error == 0) error = file->sync();
  if (error == 0) error = file_system.rename(fresh, state_path(folder));
  if (error == 0) error = file_system.sync_folder(folder);
  return error;
}

Uuid random_uuid() {
  Uuid id{};
  if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    std::random_device device;
    for (auto& byte : id) byte = static_cast<std::uint8_t>(device());
  }
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0FU) | 0x40U);  // version 4
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3FU) | 0x80U);
  return id;
}

std::string this_boot() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (!std::getline(file, id) || id.empty()) return std::string(kUnknownBoot);
  return id;
}

}  // namespace chat
