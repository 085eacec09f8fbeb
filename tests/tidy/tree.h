// The repository's own files, as the house rules see them.
#pragma once

#include <string>
#include <vector>

namespace chat::test {

struct SourceFile {
  std::string path;  // relative to the repository's root
  std::vector<std::string> lines;

  bool under(const std::string& folder) const { return path.starts_with(folder + "/"); }
  bool ends(const std::string& suffix) const { return path.ends_with(suffix); }
  bool is_cpp() const { return ends(".cpp") || ends(".h"); }
};

// Every text file of the repository: those that git tracks, and new ones that it does not ignore; without git, all but
// the folders that builds make. Throws where it finds suspiciously few: a rule that reads nothing finds nothing.
const std::vector<SourceFile>& tree();

// The line without what stands behind //, and blank where it is part of a comment only. Good enough for C++ in the
// house style.
std::string without_comment(const std::string& line);

}  // namespace chat::test
