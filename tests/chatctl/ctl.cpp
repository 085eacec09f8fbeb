#include "tests/chatctl/ctl.h"

namespace chat::test {

Finished Ctl::run(Words words) const {
  words.insert(words.begin(), CHATCTL);
  return chat::test::run(words, {{"CHAT_PG", uri_}});
}

std::string Ctl::out(Words words) const {
  const auto finished = run(std::move(words));
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.err, "");
  return finished.code == 0 ? finished.out : "";
}

nlohmann::json Ctl::json(Words words) const {
  words.push_back("--json");
  return nlohmann::json::parse(out(std::move(words)), nullptr, false);
}

std::string Ctl::group(const Words& members) const {
  Words add{"user", "add", "--if-missing"};
  add.insert(add.end(), members.begin(), members.end());
  out(add);
  Words create{"conversation", "create", "--owner", members.front()};
  for (const auto& member : members) create.insert(create.end(), {"--member", member});
  auto name = out(create);
  if (!name.empty()) name.pop_back();  // the newline
  return name;
}

testing::AssertionResult Ctl::fails(const Words& words, int code, const std::string& sentence) const {
  const auto finished = run(words);
  if (finished.code == code && finished.out.empty() && finished.err.find(sentence) != std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "ended with " << finished.code << ", on stdout: " << finished.out
                                     << ", on stderr: " << finished.err;
}

}  // namespace chat::test
