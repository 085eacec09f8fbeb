// Damage to the journal's files while the broker is down: what a crash leaves behind its last record, and bits that
// changed in what PostgreSQL has already. Neither may cost anything.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/chaos/faults/fault.h"
#include "tests/support/database.h"

namespace chat::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kHeader = 64;  // of a segment, and the first position: docs/journal-format.md

std::vector<fs::path> segments(const World& world) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(world.stack.folder() + "/journal")) {
    if (entry.path().extension() == ".seg") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  if (found.empty()) throw std::runtime_error("the journal has no segment");
  return found;
}

// The start of a record that was never written to its end.
class TornTail : public Fault {
 public:
  std::string name() const override { return "journal-torn-tail"; }
  bool stops_broker() const override { return true; }

  void inject(World& world) override {
    world.stack.kill("broker");
    std::ofstream file(segments(world).back(), std::ios::app | std::ios::binary);
    const auto size = std::uniform_int_distribution<int>(1, 200)(world.chance);
    for (int i = 0; i < size; ++i) {
      // The length says 300: more than there is.
      const char length[] = {44, 1, 0, 0};
      file.put(i < 4 ? length[i] : static_cast<char>(std::uniform_int_distribution<int>(1, 255)(world.chance)));
    }
    if (!file.flush()) throw std::runtime_error("the tail could not be torn");
    file.close();
    world.stack.start("broker");
  }
};

class FlippedBytes : public Fault {
 public:
  std::string name() const override { return "journal-flipped-bytes"; }
  bool stops_broker() const override { return true; }

  void inject(World& world) override {
    world.stack.kill("broker");
    Database database(world.stack.pg());
    const auto stored = static_cast<std::uint64_t>(database.number("SELECT coalesce(max(position), 0) FROM journals"));
    // Of the segments, those stretches that PostgreSQL has.
    std::vector<std::pair<fs::path, std::uint64_t>> stretches;  // and the offset where they end
    for (const auto& path : segments(world)) {
      const auto base = std::stoull(path.stem().string(), nullptr, 16);
      if (stored <= base) continue;
      const auto end = std::min<std::uint64_t>(fs::file_size(path), stored - base + kHeader);
      if (end > kHeader) stretches.emplace_back(path, end);
    }
    if (!stretches.empty()) {
      const auto& [path, end] =
          stretches[std::uniform_int_distribution<std::size_t>(0, stretches.size() - 1)(world.chance)];
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      for (int i = 0; i < 3; ++i) {
        const auto at =
            static_cast<std::streamoff>(std::uniform_int_distribution<std::uint64_t>(kHeader, end - 1)(world.chance));
        file.seekg(at);
        const int old = file.get();
        file.seekp(at);
        file.put(static_cast<char>(old ^ (1 << std::uniform_int_distribution<int>(0, 7)(world.chance))));
      }
      if (!file.flush()) throw std::runtime_error("no byte could be flipped");
    }
    world.stack.start("broker");
    if (stretches.empty()) throw std::runtime_error("PostgreSQL has nothing yet of what is in the journal");
  }
};

}  // namespace

void add_journals(std::vector<std::unique_ptr<Fault>>* faults) {
  faults->push_back(std::make_unique<TornTail>());
  faults->push_back(std::make_unique<FlippedBytes>());
}

}  // namespace chat::test
