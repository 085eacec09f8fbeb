#include "storage/secret_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace chat {

std::string read_secret(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) {
    const std::string reason = errno != 0 ? std::strerror(errno) : "it is empty";
    throw std::runtime_error("the file " + path + " can't be read: " + reason);
  }
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) throw std::runtime_error("the file " + path + " has an empty first line");
  return line;
}

}  // namespace chat
