#include "tests/support/operation_log.h"

#include <chrono>
#include <filesystem>
#include <fstream>

namespace chat::test {

void OperationLog::add(const std::string& operation, nlohmann::json fields) {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  fields["op"] = operation;
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) start_ms_ = now.count();
  fields["ms"] = now.count() - start_ms_;
  entries_.push_back(std::move(fields));
}

std::vector<nlohmann::json> OperationLog::entries(const std::string& operation) const {
  const std::lock_guard lock(mutex_);
  std::vector<nlohmann::json> matching;
  for (const auto& entry : entries_) {
    if (entry.at("op") == operation) matching.push_back(entry);
  }
  return matching;
}

std::size_t OperationLog::count(const std::string& operation) const {
  return entries(operation).size();
}

std::string OperationLog::keep() const {
  const auto folder = std::filesystem::path(CHAT_TEST_BINARY_DIR) / "test-logs";
  std::filesystem::create_directories(folder);
  const auto path = folder / (name_ + ".jsonl");
  std::ofstream file(path);
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries_) file << entry.dump() << "\n";
  return path.string();
}

}  // namespace chat::test
