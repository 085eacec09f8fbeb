#include "tests/support/stack.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/mqtt_client.h"
#include "tests/support/programs.h"
#include "tests/support/raw_mqtt.h"

namespace chat::test {
namespace {

std::string new_folder() {
  static std::atomic<int> counter{0};
  const auto folder = std::filesystem::path(CHAT_TEST_BINARY_DIR) / "test-run" /
                      (std::to_string(getpid()) + "-" + std::to_string(++counter));
  std::filesystem::remove_all(folder);  // of an earlier process with our number
  std::filesystem::create_directories(folder);
  return folder.string();
}

std::string joined(const std::map<std::string, std::string>& options) {
  std::string text;
  for (const auto& [name, value] : options) text += (text.empty() ? "" : ";") + name + "=" + value;
  return text;
}

// Ends the stack when the test program is gone without having done so: waits for the end of a pipe that only that
// program holds.
constexpr const char* kWatcher = "read -r word || exec ./dev down --purge";

}  // namespace

Stack::Stack(StackOptions options) : options_(std::move(options)), folder_(new_folder()) {
  environment_["CHAT_RUN_DIR"] = folder_;
  environment_["CHAT_BIN_DIR"] = program_folder();
  environment_["CHAT_PORT"] = std::to_string(port_.number());
  environment_["CHAT_WS_PORT"] = std::to_string(websocket_port_.number());
  if (options_.bare) environment_["CHAT_BARE"] = "1";
  if (!options_.plugin.empty()) environment_["CHAT_PLUGIN_OPTS"] = joined(options_.plugin);
  if (!options_.broker_conf.empty()) {
    // Beside the folder, which ./dev may want to make itself.
    const auto file = folder_ + ".conf";
    std::ofstream(file) << options_.broker_conf << "\n";
    environment_["CHAT_BROKER_CONF"] = file;
  }
  for (const auto& [name, value] : options_.environment) environment_[name] = value;
  if (options_.prepare) options_.prepare(folder_, environment_);
  start_watcher();
  try {
    dev({"up"});
    if (options_.users > 0) new_users(0);
  } catch (...) {
    end_watcher();
    throw;
  }
}

Stack::~Stack() {
  end_watcher();
}

Finished Stack::dev(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{CHAT_TEST_SOURCE_DIR "/dev"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_or_throw(command, environment_);
}

void Stack::start_watcher() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for the watcher");
  // Twice forked and in a session of its own, so that a test runner that kills our descendants doesn't reach it.
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    dup2(ends[0], STDIN_FILENO);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    for (const auto& [name, value] : environment_) setenv(name.c_str(), value.c_str(), 1);
    if (chdir(CHAT_TEST_SOURCE_DIR) == 0) {
      execlp("sh", "sh", "-c", kWatcher, static_cast<char*>(nullptr));
    }
    _exit(1);
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  watcher_ = ends[1];
}

void Stack::end_watcher() {
  try {
    dev({"down", "--purge"});
    std::filesystem::remove_all(folder_);
    std::filesystem::remove(folder_ + ".conf");
    if (write(watcher_, "done\n", 5) != 5) throw std::runtime_error("the watcher is gone");
  } catch (const std::exception& problem) {
    fprintf(stderr, "the stack in %s was not taken down: %s\n", folder_.c_str(), problem.what());
  }
  close(watcher_);
}

std::string Stack::value(const std::string& name) const {
  const auto all = environment();
  const auto found = all.find(name);
  if (found == all.end()) throw std::runtime_error("no " + name + " in " + folder_ + "/env");
  return found->second;
}

Environment Stack::environment() const {
  // The shell reads it, as a person's would.
  const auto printed = run_or_throw({"env", "-i", "sh", "-c", "set -a; . \"$0\"; exec env -0", folder_ + "/env"}).out;
  Environment all;
  std::istringstream stream(printed);
  for (std::string entry; std::getline(stream, entry, '\0');) {
    const auto equals = entry.find('=');
    const auto name = entry.substr(0, equals);
    if (name != "PWD" && name != "_" && name != "SHLVL" && name != "PATH") all[name] = entry.substr(equals + 1);
  }
  return all;
}

pid_t Stack::broker_pid() const {
  return std::stoi(value("CHAT_BROKER_PID"));
}

void Stack::start(const std::string& service) {
  dev({"start", service});
  if (service == "broker") wait_for_broker();
}

void Stack::stop(const std::string& service) {
  dev({"stop", service});
}

void Stack::kill(const std::string& service, const std::string& signal) {
  dev({"kill", "-" + signal, service});
}

void Stack::restart(const std::string& service) {
  stop(service);
  start(service);
}

void Stack::reload_broker() {
  kill("broker", "HUP");
}

void Stack::wait_for_broker() const {
  eventually("a broker on port " + std::to_string(port()), [this] {
    try {
      RawMqtt probe(port(), {.client_id = "probe"});
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  });
}

void Stack::freeze_postgres() {
  kill("postgres", "STOP");
}

void Stack::thaw_postgres() {
  kill("postgres", "CONT");
}

std::string Stack::broker_log_tail(int lines) const {
  const auto path = value("CHAT_BROKER_LOG");
  const auto tail = run({"tail", "-n", std::to_string(lines), path});
  return "---- last lines of " + path + "\n" + tail.out + tail.err + "----\n";
}

}  // namespace chat::test
