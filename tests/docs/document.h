// A Markdown page whose examples are executed. What counts, and it is all that counts:
//
//   ```sh                  runs in bash, in the repository's root, on a system of its own (./dev up, with alice, bob,
//   carol and
//                          dave). All blocks of a page share one shell: a variable set in one is there in the next. A
//                          command that fails fails the test.
//   ```sh other-terminal   starts in the background; the page goes on when the broker has taken its subscription
//                          (or it has printed something).
//   ```text                the next block behind an ```sh block: what that prints, both streams together. "…" stands
//   for anything within
//                          a line, a line that is only "…" for any number of lines.
//   ```text other-terminal what the latest block in the other terminal prints until it ends; the page waits for that.
//
// Every other language (console, cpp, json, none) is for reading only; use console for what must not run in a test,
// such as installing packages. A ```text behind anything else is for reading too.
#pragma once

#include <string>
#include <vector>

namespace chat::test {

struct Block {
  enum class Kind { kRun, kRunElsewhere };
  Kind kind = Kind::kRun;
  int line = 0;  // of its fence, from 1
  std::string commands;
  bool checked = false;  // an expected output follows, in `expected`
  int checked_at = 0;    // number of blocks that run before it is compared; of kRunElsewhere
  std::string expected;
};

// The blocks that run, in order. Throws std::runtime_error, with the line, for a fence that is never closed or an
// expected output of another terminal that nothing was started in.
std::vector<Block> parse_document(const std::string& markdown);

// Whether `actual` is what `expected` describes.
bool output_matches(const std::string& expected, const std::string& actual);

// A bash script that runs them: block i prints into `folder`/i.out, and its number is in `folder`/failed if it failed.
std::string script_of(const std::vector<Block>& blocks, const std::string& folder);

}  // namespace chat::test
