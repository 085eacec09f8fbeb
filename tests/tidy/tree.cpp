#include "tests/tidy/tree.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/process.h"

namespace chat::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMin = 100;  // far below what there are

const fs::path kRoot = CHAT_TEST_SOURCE_DIR;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

std::vector<std::string> tracked() {
  const std::string root = kRoot.string();
  // The tree may belong to somebody else than whoever runs the tests.
  return split(run_or_throw({"git", "-c", "safe.directory=" + root, "-C", root, "ls-files", "-z", "--cached",
                             "--others", "--exclude-standard"})
                   .out,
               '\0');
}

std::vector<std::string> walked() {
  std::vector<std::string> paths;
  for (fs::recursive_directory_iterator entry(kRoot), end; entry != end; ++entry) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() && (name == "build" || name.starts_with("build-") || name == ".cache")) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file()) {
      paths.push_back(fs::relative(entry->path(), kRoot).string());
    }
  }
  return paths;
}

std::vector<SourceFile> read_tree() {
  std::vector<SourceFile> files;
  for (const auto& path : fs::exists(kRoot / ".git") ? tracked() : walked()) {
    std::ifstream stream(kRoot / path, std::ios::binary);
    if (!stream) continue;  // deleted, and git does not know yet
    std::ostringstream text;
    text << stream.rdbuf();
    if (text.str().find('\0') != std::string::npos) continue;
    files.push_back({path, split(text.str(), '\n')});
  }
  if (files.size() < kFilesMin) {
    throw std::runtime_error("only " + std::to_string(files.size()) + " files in " + kRoot.string());
  }
  return files;
}

}  // namespace

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> files = read_tree();
  return files;
}

std::string without_comment(const std::string& line) {
  for (std::size_t at = 0; (at = line.find("//", at)) != std::string::npos; at += 2) {
    if (at == 0 || line[at - 1] != ':') return line.substr(0, at);  // not that of mqtt://
  }
  return line;
}

}  // namespace chat::test
