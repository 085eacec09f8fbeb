#include "tests/support/private_redis.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

std::string made_folder() {
  std::string path = (std::filesystem::temp_directory_path() / "chat-redis-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("can't make the folder " + path);
  return path;
}

}  // namespace

PrivateRedis::PrivateRedis(std::string password) : password_(std::move(password)), folder_(made_folder()) {
  start();
}

PrivateRedis::~PrivateRedis() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PrivateRedis::start() {
  const auto port = std::to_string(port_.number());
  const auto socket = socket_path();
  const auto log = folder_ + "/log";
  const pid_t parent = ::getpid();
  server_ = ::fork();
  if (server_ < 0) throw std::runtime_error("can't start a process");
  if (server_ == 0) {
    const int out = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
    if (out >= 0) {
      ::dup2(out, 1);
      ::dup2(out, 2);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port.c_str(), "--unixsocket",
             socket.c_str(), "--dir", folder_.c_str(), "--save", "", "--appendonly", "no", "--requirepass",
             password_.c_str(), nullptr);
    ::_exit(127);
  }
  eventually("the private Redis answers (its log: " + log + ")", [&] {
    if (::waitpid(server_, nullptr, WNOHANG) == server_) {
      server_ = 0;
      throw std::runtime_error("the private Redis ended: " + run({"cat", log}).out);
    }
    return cli("PING") == "PONG";
  });
}

void PrivateRedis::kill() {
  if (server_ == 0) return;
  ::kill(server_, SIGKILL);
  ::waitpid(server_, nullptr, 0);
  server_ = 0;
}

void PrivateRedis::signal(int number) {
  ::kill(server_, number);
  if (number == SIGSTOP) ::waitpid(server_, nullptr, WUNTRACED);
}

std::string PrivateRedis::cli(const std::string& command, const std::string& argument, const std::string& value) const {
  std::vector<std::string> words{"redis-cli", "-p", std::to_string(port_.number())};
  if (!password_.empty()) words.insert(words.end(), {"--no-auth-warning", "-a", password_});
  words.push_back(command);
  if (!argument.empty()) words.push_back(argument);
  if (!value.empty()) words.push_back(value);
  auto out = run(words).out;
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace chat::test
