// What a fault test did, in order, as JSON: the checker reads it after the run instead of trusting the workload's own
// counters.
#pragma once

#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace chat::test {

// Any thread may add. Written to <build>/test-logs/<name>.jsonl by keep(), for a person who looks into a failure.
class OperationLog {
 public:
  explicit OperationLog(std::string name) : name_(std::move(name)) {}

  // {"op": operation, ...fields}, with "ms" since the first entry in front.
  void add(const std::string& operation, nlohmann::json fields = nlohmann::json::object());

  std::vector<nlohmann::json> entries(const std::string& operation) const;
  std::size_t count(const std::string& operation) const;

  // Writes the file and answers its path.
  std::string keep() const;

 private:
  std::string name_;
  mutable std::mutex mutex_;
  std::vector<nlohmann::json> entries_;
  std::int64_t start_ms_ = 0;
};

}  // namespace chat::test
