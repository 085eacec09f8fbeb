#include "tests/docs/document.h"

#include <optional>
#include <sstream>
#include <stdexcept>

namespace chat::test {
namespace {

constexpr const char* kAny = "…";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The pieces between the placeholders must be there in this order; the first at the start, the last at the end.
bool line_matches(const std::string& expected, const std::string& actual) {
  std::size_t from = 0;
  std::size_t at = 0;
  for (bool first = true;; first = false) {
    const auto any = expected.find(kAny, from);
    const auto piece = expected.substr(from, any == std::string::npos ? any : any - from);
    if (any == std::string::npos) {
      if (first) return actual == piece;
      return actual.size() >= at + piece.size() &&
             actual.compare(actual.size() - piece.size(), piece.size(), piece) == 0;
    }
    const auto found = actual.find(piece, at);
    if (found == std::string::npos || (first && found != 0)) return false;
    at = found + piece.size();
    from = any + std::string(kAny).size();
  }
}

bool lines_match(const std::vector<std::string>& expected, std::size_t e, const std::vector<std::string>& actual,
                 std::size_t a) {
  if (e == expected.size()) return a == actual.size();
  if (trimmed(expected[e]) == kAny) {
    for (std::size_t skip = a; skip <= actual.size(); ++skip) {
      if (lines_match(expected, e + 1, actual, skip)) return true;
    }
    return false;
  }
  return a < actual.size() && line_matches(expected[e], actual[a]) && lines_match(expected, e + 1, actual, a + 1);
}

}  // namespace

std::vector<Block> parse_document(const std::string& markdown) {
  std::vector<Block> blocks;
  std::optional<std::size_t> elsewhere;  // the latest block in the other terminal
  bool directly_behind = false;          // the fence before this one was an executed block
  std::istringstream stream(markdown);
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.rfind("```", 0) != 0) continue;
    const auto language = trimmed(line.substr(3));
    const int opened = number;
    std::string content;
    bool closed = false;
    while (!closed && std::getline(stream, line)) {
      ++number;
      closed = line.rfind("```", 0) == 0;
      if (!closed) content += line + "\n";
    }
    const auto where = "line " + std::to_string(opened);
    if (!closed) throw std::runtime_error(where + ": the block is never closed");
    if (language == "text other-terminal") {
      if (!elsewhere) throw std::runtime_error(where + ": nothing runs in the other terminal");
      auto& block = blocks[*elsewhere];
      block.checked = true;
      block.checked_at = static_cast<int>(blocks.size());
      block.expected = content;
      elsewhere.reset();
    } else if (language == "text" && directly_behind) {
      blocks.back().checked = true;
      blocks.back().expected = content;
    }
    directly_behind = language == "sh";
    if (language != "sh" && language != "sh other-terminal") continue;
    Block block;
    block.kind = language == "sh" ? Block::Kind::kRun : Block::Kind::kRunElsewhere;
    block.line = opened;
    block.commands = content;
    if (block.kind == Block::Kind::kRunElsewhere) elsewhere = blocks.size();
    blocks.push_back(block);
  }
  return blocks;
}

bool output_matches(const std::string& expected, const std::string& actual) {
  return lines_match(lines_of(expected), 0, lines_of(actual), 0);
}

std::string script_of(const std::vector<Block>& blocks, const std::string& folder) {
  std::ostringstream script;
  // What still listens at the end, or at a failure, goes with us: each background block is a process group of its own.
  script << "subscriptions() { grep -c 'Sending SUBACK' \"$CHAT_BROKER_LOG\" 2>/dev/null || true; }\n"
         << "started=\nend_all() { for group in $started; do kill -- -$group 2>/dev/null; done; true; }\n"
         << "finish() { [ $1 = 0 ] || { end_all; echo $2 >" << folder << "/failed; exit 1; }; }\n";
  const auto wait_for_elsewhere = [&](std::size_t before) {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i].kind == Block::Kind::kRunElsewhere && blocks[i].checked &&
          blocks[i].checked_at == static_cast<int>(before)) {
        script << "wait $elsewhere_" << i << "; finish $? " << i << "\n";
      }
    }
  };
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    wait_for_elsewhere(i);
    const auto out = folder + "/" + std::to_string(i) + ".out";
    if (blocks[i].kind == Block::Kind::kRun) {
      // The same shell, so that its variables stay; set -e so that no line's failure is passed over.
      script << "set -e\ntrap 'finish $? " << i << "' EXIT\n{\n"
             << blocks[i].commands << "} >" << out << " 2>&1\nset +e\ntrap - EXIT\n";
    } else {
      script << "before=$(subscriptions)\nset -m\n{\nset -e\n"
             << blocks[i].commands << "} >" << out << " 2>&1 &\nelsewhere_" << i
             << "=$!\nset +m\nstarted=\"$started $!\"\n"
             << "until [ -s " << out
             << " ] || [ $(subscriptions) -gt ${before:-0} ] 2>/dev/null || ! kill -0 $elsewhere_" << i
             << " 2>/dev/null; do sleep 0.05; done\n";
    }
  }
  wait_for_elsewhere(blocks.size());
  script << "end_all\n";
  return script.str();
}

}  // namespace chat::test
