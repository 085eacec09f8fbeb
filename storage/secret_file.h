// A file that holds a password or a URI with one: kept out of the command line, which every user of a machine can read.
#pragma once

#include <string>

namespace chat {

// The file's first line without its line end. Throws std::runtime_error with a sentence that names the file (never its
// contents) where it can't be read or the line is empty.
std::string read_secret(const std::string& path);

}  // namespace chat
