// Executes the examples of topics.md, README.md and docs/*.md, each page on a system of its own. How a page marks them:
// tests/docs/document.h.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/docs/document.h"
#include "tests/support/process.h"
#include "tests/support/stack.h"

namespace chat::test {
namespace {

std::filesystem::path root() {
  return CHAT_TEST_SOURCE_DIR;
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> documents() {
  std::vector<std::string> pages{"README.md", "topics.md"};
  for (const auto& entry : std::filesystem::directory_iterator(root() / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back("docs/" + entry.path().filename().string());
  }
  std::sort(pages.begin(), pages.end());
  return pages;
}

class Documents : public ::testing::TestWithParam<std::string> {};

TEST_P(Documents, DoWhatTheySay) {
  const auto path = root() / GetParam();
  ASSERT_TRUE(std::filesystem::exists(path)) << path;
  const auto blocks = parse_document(contents(path));
  if (blocks.empty()) return;  // a page without examples

  // What is subscribed stands in the broker's log: see script_of().
  Stack stack({.plugin = {{"acl_mode", "allow"}}, .broker_conf = "log_type all", .users = 0});
  const auto folder = std::filesystem::path(stack.folder()) / "document";
  std::filesystem::create_directories(folder);
  auto environment = stack.environment();
  environment["LC_ALL"] = "C.UTF-8";
  const auto finished = run({"timeout", "180", "bash", "-c", "cd \"$1\" && eval \"$2\"", "document", root().string(),
                             script_of(blocks, folder.string())},
                            environment);

  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto& block = blocks[i];
    const auto out = folder / (std::to_string(i) + ".out");
    if (!std::filesystem::exists(out)) break;  // an earlier block failed, which is told below
    if (!block.checked) continue;
    EXPECT_TRUE(output_matches(block.expected, contents(out))) << GetParam() << ":" << block.line << "\n"
                                                               << block.commands << "---- should print\n"
                                                               << block.expected << "---- printed\n"
                                                               << contents(out);
  }
  if (finished.code != 0) {
    std::size_t failed = 0;
    std::ifstream(folder / "failed") >> failed;
    const auto& block = blocks.at(std::min(failed, blocks.size() - 1));
    ADD_FAILURE() << GetParam() << ":" << block.line << " failed (exit code " << finished.code << ")\n"
                  << block.commands << "---- printed\n"
                  << contents(folder / (std::to_string(failed) + ".out")) << finished.out << finished.err
                  << stack.broker_log_tail(30);
  }
  std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Page, Documents, ::testing::ValuesIn(documents()), [](const auto& page) {
  std::string name;
  for (const char c : page.param) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

TEST(DocumentExamples, AreFoundByTheirLanguage) {
  const auto blocks = parse_document(
      "```sh\na=1\n```\ntext\n```text\nnot behind\n```\n```console\n$ never\n```\n```sh other-terminal\nsub\n```\n"
      "```sh\npub\n```\n```text\nsaid\n```\n```text other-terminal\nheard\n```\n");
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].commands, "a=1\n");
  EXPECT_EQ(blocks[0].expected, "not behind\n");
  EXPECT_EQ(blocks[1].kind, Block::Kind::kRunElsewhere);
  EXPECT_EQ(blocks[1].expected, "heard\n");
  EXPECT_EQ(blocks[1].checked_at, 3);
  EXPECT_EQ(blocks[2].expected, "said\n");
  EXPECT_THROW(parse_document("```sh\nnever closed\n"), std::runtime_error);
  EXPECT_THROW(parse_document("```text other-terminal\nx\n```\n"), std::runtime_error);
}

TEST(DocumentExamples, AreComparedWithPlaceholders) {
  EXPECT_TRUE(output_matches("a\nb\n", "a\nb\n"));
  EXPECT_FALSE(output_matches("a\nb\n", "a\n"));
  EXPECT_FALSE(output_matches("a\n", "a\nb\n"));
  EXPECT_TRUE(output_matches("{\"seq\":1,\"time\":…,\"x\":\"…\"}\n", "{\"seq\":1,\"time\":17,\"x\":\"y\"}\n"));
  EXPECT_FALSE(output_matches("{\"seq\":1,\"time\":…}\n", "{\"seq\":2,\"time\":17}\n"));
  EXPECT_FALSE(output_matches("…end\n", "the end.\n"));
  EXPECT_TRUE(output_matches("first\n…\nlast\n", "first\n1\n2\nlast\n"));
  EXPECT_TRUE(output_matches("first\n…\nlast\n", "first\nlast\n"));
  EXPECT_FALSE(output_matches("first\n…\nlast\n", "first\nlast\nmore\n"));
}

// The canary: a page whose example fails, or prints something else, must not pass.
TEST(DocumentExamples, RunInOneShellAndStopAtAFailure) {
  const auto folder = std::filesystem::temp_directory_path() / ("mosquitto-chat-docs-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto run_page = [&](const std::string& page) {
    return run({"bash", "-c", script_of(parse_document(page), folder.string())}).code;
  };
  EXPECT_EQ(run_page("```sh\na=1\nb=2\n```\n```sh\necho $a $b\n```\n"), 0);
  EXPECT_EQ(contents(folder / "1.out"), "1 2\n");
  EXPECT_EQ(run_page("```sh other-terminal\necho ready; sleep 0.2; echo done\n```\n```sh\ntrue\n```\n"
                     "```text other-terminal\nready\ndone\n```\n"),
            0);
  EXPECT_EQ(contents(folder / "0.out"), "ready\ndone\n");
  EXPECT_NE(run_page("```sh\ntrue\nfalse\ntrue\n```\n"), 0);
  EXPECT_EQ(contents(folder / "failed"), "0\n");
  EXPECT_NE(run_page("```sh other-terminal\necho ready; exit 3\n```\n```text other-terminal\nready\n```\n"), 0);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace chat::test
