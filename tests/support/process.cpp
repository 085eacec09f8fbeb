#include "tests/support/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

extern char** environ;

namespace chat::test {
namespace {

// A file without a name rather than a pipe: a daemon that inherits it can't keep us waiting for an end of file.
using Capture = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Capture capture() {
  Capture file(std::tmpfile(), &std::fclose);
  if (!file) throw std::runtime_error(std::string("no temporary file: ") + std::strerror(errno));
  fcntl(fileno(file.get()), F_SETFD, FD_CLOEXEC);
  return file;
}

std::string contents(std::FILE* file) {
  std::rewind(file);
  std::string text;
  char buffer[8192];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, got);
  return text;
}

std::vector<std::string> merged(const Environment& extra) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    if (extra.find(text.substr(0, text.find('='))) == extra.end()) all.push_back(text);
  }
  for (const auto& [name, value] : extra) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

Finished run(const std::vector<std::string>& command, const Environment& environment, const std::string& input) {
  const Capture in = capture();
  const Capture out = capture();
  const Capture err = capture();
  std::fwrite(input.data(), 1, input.size(), in.get());
  std::rewind(in.get());

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(in.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(err.get()), STDERR_FILENO);
  auto arguments = command;
  auto variables = merged(environment);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, arguments.at(0).c_str(), &actions, nullptr, pointers(arguments).data(),
                                  pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error(command[0] + " could not be started: " + std::strerror(failed));

  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  Finished finished;
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  finished.out = contents(out.get());
  finished.err = contents(err.get());
  return finished;
}

Finished run_or_throw(const std::vector<std::string>& command, const Environment& environment,
                      const std::string& input) {
  auto finished = run(command, environment, input);
  if (finished.code != 0) {
    std::string line;
    for (const auto& word : command) line += word + " ";
    throw std::runtime_error(line + "ended with " + std::to_string(finished.code) + "\n" + finished.out + finished.err);
  }
  return finished;
}

}  // namespace chat::test
