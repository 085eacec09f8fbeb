#include "tests/chaos/operations.h"

#include <functional>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace chat::test {

OperationsFile::OperationsFile(std::string path) : path_(std::move(path)), file_(path_) {
  if (!file_) throw std::runtime_error("can't write the operations log " + path_);
}

std::chrono::microseconds OperationsFile::now() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began_);
}

// Tabs between the fields: no name, id or code of ours holds one.
void OperationsFile::add(Operation operation) {
  const std::lock_guard lock(mutex_);
  file_ << now().count() << '\t' << static_cast<int>(operation.did) << '\t' << operation.device << '\t'
        << operation.conv << '\t' << operation.seq << '\t' << operation.id << '\t' << operation.code << '\t'
        << operation.bytes << '\t' << operation.text << '\n';
}

void OperationsFile::flush() {
  const std::lock_guard lock(mutex_);
  if (!file_.flush()) throw std::runtime_error("the operations log could not be written: " + path_);
}

std::vector<Operation> read_operations(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("can't read the operations log " + path);
  std::vector<Operation> all;
  std::string line;
  while (std::getline(file, line)) {
    if (file.eof()) break;  // clients that are still there go on writing: of their latest line a part may be here
    std::vector<std::string> fields;
    std::istringstream stream(line + "\t");
    for (std::string field; std::getline(stream, field, '\t');) fields.push_back(std::move(field));
    if (fields.size() != 9) throw std::runtime_error("not a line of an operations log: " + line);
    all.push_back({.at_us = std::stoll(fields[0]),
                   .did = static_cast<Did>(std::stoi(fields[1])),
                   .device = fields[2],
                   .conv = fields[3],
                   .seq = std::stoll(fields[4]),
                   .id = fields[5],
                   .code = std::stoll(fields[6]),
                   .bytes = std::stoull(fields[7]),
                   .text = fields[8]});
  }
  return all;
}

std::uint64_t hash_of(std::string_view bytes) {
  return std::hash<std::string_view>{}(bytes);
}

}  // namespace chat::test
