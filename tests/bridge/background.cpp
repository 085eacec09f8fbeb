#include "tests/bridge/background.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/wait.h"

extern char** environ;

namespace chat::test {

Background::Background(const std::vector<std::string>& command, std::string log_path) : log_path_(std::move(log_path)) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int error = posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("can't start " + command[0] + ": " + std::strerror(error));
}

Background::~Background() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Background::signal(int number) const {
  if (!code_) kill(pid_, number);
}

bool Background::running() {
  if (code_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

int Background::wait() {
  try {
    eventually("the end of the program", [this] { return !running(); });
  } catch (const TimedOut& error) {
    throw TimedOut(std::string(error.what()) + "; its log:\n" + log());
  }
  return *code_;
}

std::string Background::log() const {
  std::ostringstream text;
  text << std::ifstream(log_path_).rdbuf();
  return text.str();
}

std::size_t Background::times_in_log(const std::string& text) const {
  const std::string all = log();
  std::size_t times = 0;
  for (std::size_t at = 0; (at = all.find(text, at)) != std::string::npos; at += text.size()) ++times;
  return times;
}

void Background::await_log(const std::string& text, std::size_t times) const {
  try {
    eventually("\"" + text + "\" in the log", [&] { return times_in_log(text) >= times; });
  } catch (const TimedOut& error) {
    throw TimedOut(std::string(error.what()) + "; the log:\n" + log());
  }
}

}  // namespace chat::test
