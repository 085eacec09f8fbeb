// The rules of this repository that a program can check. Each says what to do instead; what needs a reader's judgement
// is in CONTRIBUTING.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/tidy/bans.h"
#include "tests/tidy/tree.h"

namespace chat::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kLinesMax = 500;

std::string joined(const std::vector<std::string>& lines) {
  std::ostringstream text;
  for (const auto& line : lines) text << line << "\n";
  return text.str();
}

// Fails with the paths of the files that are `wrong`.
void expect_none(const std::function<bool(const SourceFile&)>& wrong, const std::string& instead) {
  std::vector<std::string> paths;
  for (const auto& file : tree()) {
    if (wrong(file)) paths.push_back(file.path);
  }
  EXPECT_TRUE(paths.empty()) << joined(paths) << "instead: " << instead;
}

// The repository's sources that are compiled with one of the compiler's: itself, or those that a unity build puts into
// it.
std::vector<std::string> sources_of(const fs::path& compiled) {
  const auto relative = [](const fs::path& path) { return path.lexically_relative(CHAT_TEST_SOURCE_DIR).string(); };
  if (!compiled.filename().string().starts_with("unity_")) return {relative(compiled)};
  std::vector<std::string> sources;
  static const std::regex kInclude("#include \"(.*)\"");
  std::ifstream stream(compiled);
  std::smatch found;
  for (std::string line; std::getline(stream, line);) {
    if (std::regex_match(line, found, kInclude)) sources.push_back(relative(found[1].str()));
  }
  return sources;
}

// The top-level folders that the first column of the page's tables names, such as `docs` or `plugin/core`.
std::set<std::string> mapped_folders(const SourceFile& page) {
  static const std::regex kName("`([^`/]+)[^`]*`");
  std::set<std::string> folders;
  for (const auto& line : page.lines) {
    if (!line.starts_with("| `")) continue;
    const std::string cell = line.substr(2, line.find('|', 2) - 2);
    for (std::sregex_iterator name(cell.begin(), cell.end(), kName), end; name != end; ++name)
      folders.insert((*name)[1]);
  }
  return folders;
}

class HouseBan : public ::testing::TestWithParam<Ban> {};

TEST_P(HouseBan, Holds) {
  const auto found = offences(GetParam(), tree());
  EXPECT_TRUE(found.empty()) << joined(found) << "instead: " << GetParam().instead;
}

// A rule that can't find anything keeps nothing out.
TEST_P(HouseBan, FindsAnOffenceAndSparesTheInnocent) {
  const Ban& ban = GetParam();
  Ban everywhere = ban;
  everywhere.where = [](const SourceFile&) { return true; };
  EXPECT_EQ(offences(everywhere, {{"a.cpp", {ban.innocent, ban.offence}}}), std::vector{"a.cpp:2: " + ban.offence});
  const auto& files = tree();
  EXPECT_TRUE(std::any_of(files.begin(), files.end(), ban.where)) << "it holds for no file at all";
}

std::string name_of(const ::testing::TestParamInfo<Ban>& ban) {
  return ban.param.name;
}

INSTANTIATE_TEST_SUITE_P(HouseRules, HouseBan, ::testing::ValuesIn(bans()), name_of);

TEST(HouseRules, NoFileIsLongerThan500Lines) {
  // One page for who writes a client: it is searched, not read from end to end.
  expect_none([](const SourceFile& file) { return file.lines.size() > kLinesMax && file.path != "topics.md"; },
              "a new file for each new noun");
}

TEST(HouseRules, HeadersAreReadOnce) {
  expect_none(
      [](const SourceFile& file) {
        return file.ends(".h") && std::find(file.lines.begin(), file.lines.end(), "#pragma once") == file.lines.end();
      },
      "#pragma once behind the head comment");
}

TEST(HouseRules, HeadersBeginWithWhatTheyAreFor) {
  expect_none(
      [](const SourceFile& file) {
        return file.ends(".h") && (file.lines.empty() || !file.lines[0].starts_with("//"));
      },
      "the purpose in the first lines");
}

// A test that no target builds does not run, and a source that none builds is not checked.
// The linker takes one of two classes' inline functions for both: what is destroyed is then not what was made.
TEST(HouseRules, NoTwoTypesThatAreLinkedTogetherHaveOneName) {
  static const std::regex kNamespace("namespace ([A-Za-z_:]*) ?\\{.*");
  static const std::regex kType("(?:class|struct|enum class) ([A-Za-z0-9_]+)(?: final)?(?: :.*| \\{.*|)");
  std::size_t types = 0;
  for (const std::vector<std::string>& together :
       {std::vector<std::string>{"plugin", "storage"}, {"bridge", "storage"}, {"chatctl", "storage"}}) {
    std::map<std::string, std::string> homes;
    for (const auto& file : tree()) {
      const auto is_in = [&](const std::string& folder) { return file.under(folder); };
      if (!file.is_cpp() || std::none_of(together.begin(), together.end(), is_in)) continue;
      std::vector<std::string> inside;
      for (const auto& line : file.lines) {
        std::smatch found;
        if (std::regex_match(line, found, kNamespace)) inside.push_back(found[1]);
        if (line.starts_with("}  // namespace") && !inside.empty()) inside.pop_back();
        if (!std::regex_match(line, found, kType) || inside.empty() || inside.back().empty()) continue;
        const auto name = inside.front() + (inside.size() > 1 ? "::" + inside.back() : "") + "::" + found[1].str();
        ++types;
        const auto& home = homes.emplace(name, file.path).first->second;
        EXPECT_EQ(home, file.path) << "both define " << name;
      }
    }
  }
  EXPECT_GT(types, 500U) << "the rule has lost sight of what it is for";
}

TEST(HouseRules, EverySourceIsBuiltBySomeTarget) {
  const fs::path database = fs::path(CHAT_TEST_BINARY_DIR) / "compile_commands.json";
  std::ifstream stream(database);
  ASSERT_TRUE(stream) << database << " is missing: CMake writes it with CMAKE_EXPORT_COMPILE_COMMANDS";
  std::set<std::string> built;
  for (const auto& entry : json::parse(stream)) {
    for (const auto& path : sources_of(entry["file"].get<std::string>())) built.insert(path);
  }
  expect_none(
      [&](const SourceFile& file) {
        return file.ends(".cpp") && !(file.under("bench") && !CHAT_BENCH_BUILT) && !built.contains(file.path);
      },
      "name it in its folder's CMakeLists.txt, or remove it");
}

TEST(HouseRules, TheCodeMapNamesEveryTopLevelFolder) {
  const auto& files = tree();
  const auto page = std::find_if(files.begin(), files.end(),
                                 [](const SourceFile& file) { return file.path == "docs/architecture.md"; });
  ASSERT_NE(page, files.end()) << "there is no docs/architecture.md";
  const std::set<std::string> mapped = mapped_folders(*page);
  std::set<std::string> missing;
  for (const auto& file : files) {
    const auto slash = file.path.find('/');
    const std::string folder = file.path.substr(0, slash);
    if (slash != std::string::npos && !folder.starts_with('.') && !mapped.contains(folder)) missing.insert(folder);
  }
  EXPECT_TRUE(missing.empty()) << joined({missing.begin(), missing.end()})
                               << "instead: a line in the code map of docs/architecture.md";
}

TEST(HouseRules, CommentsAreTakenOffWhereTheyStart) {
  EXPECT_EQ(without_comment("int a;  // b"), "int a;  ");
  EXPECT_EQ(without_comment("// b"), "");
  EXPECT_EQ(without_comment("x(\"mqtt://host\");  // b"), "x(\"mqtt://host\");  ");
  EXPECT_EQ(without_comment("int a;"), "int a;");
}

}  // namespace
}  // namespace chat::test
