// A folder for key files, which goes with the test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace chat::test {

class KeyFolder {
 public:
  KeyFolder() : folder_((std::filesystem::temp_directory_path() / "chat-auth-test-XXXXXX").string()) {
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder " + folder_);
  }
  ~KeyFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  KeyFolder(const KeyFolder&) = delete;
  KeyFolder& operator=(const KeyFolder&) = delete;

  // Writes the file, for its owner alone, and answers its path.
  std::string file(const std::string& name, const std::string& contents) const {
    const auto path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << contents;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path;
  }

 private:
  std::string folder_;
};

}  // namespace chat::test
