// Users, conversations and chatctl of a stack.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/mqtt_client.h"
#include "tests/support/programs.h"
#include "tests/support/stack.h"

namespace chat::test {
namespace {

constexpr const char* kPassword = "demo";

// The broker's entries for those names. One run of mosquitto_passwd hashes them all, which is far faster than one run
// each.
std::string password_entries(const std::vector<std::string>& names, const std::string& scratch) {
  {
    std::ofstream file(scratch);
    for (const auto& name : names) file << name << ":" << kPassword << "\n";
  }
  run_or_throw({"mosquitto_passwd", "-U", scratch});
  std::ifstream hashed(scratch);
  std::stringstream text;
  text << hashed.rdbuf();
  std::filesystem::remove(scratch);
  return text.str();
}

}  // namespace

void Stack::add_users(const std::vector<std::string>& names, bool recorded) {
  if (names.empty()) return;
  {
    std::ofstream passwords(value("CHAT_PASSWD"), std::ios::app);
    passwords << password_entries(names, folder_ + "/new-passwords");
    if (!passwords.flush()) throw std::runtime_error("could not write to " + value("CHAT_PASSWD"));
  }
  reload_broker();
  if (recorded && !options_.bare) {
    std::vector<std::string> arguments{"user", "add"};
    arguments.insert(arguments.end(), names.begin(), names.end());
    chatctl(arguments);
  }
  eventually("the broker knowing " + names.back(), [&] {
    try {
      MqttClient probe(port(), {.client_id = "probe-of-" + names.back(), .user = names.back()});
      probe.connect();
      return true;
    } catch (const ConnectRefused&) {
      return false;
    }
  });
}

std::vector<std::string> Stack::new_users(int count) {
  const std::lock_guard lock(users_mutex_);
  if (users_given_ + count > users_made_ || users_made_ == 0) {
    std::vector<std::string> names;
    const int more = std::max(options_.users, count);
    for (int i = 0; i < more; ++i) names.push_back("u" + std::to_string(++users_made_));
    add_users(names);
  }
  std::vector<std::string> given;
  for (int i = 0; i < count; ++i) given.push_back("u" + std::to_string(++users_given_));
  return given;
}

std::string Stack::new_user() {
  return new_users(1).front();
}

nlohmann::json Stack::chatctl(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {program_folder() + "/chatctl/chatctl", "--json"});
  auto all = environment();
  all["CHAT_PG"] = all.at("CHAT_PG_CHATCTL");
  const auto finished = run_or_throw(arguments, all);
  auto answer = nlohmann::json::parse(finished.out, nullptr, false);
  if (answer.is_discarded()) throw std::runtime_error("chatctl printed no JSON: " + finished.out);
  return answer;
}

std::string Stack::new_group(const std::string& owner, const std::vector<std::string>& members) {
  std::vector<std::string> arguments{"conversation", "create", "--owner", owner};
  for (const auto& member : members) {
    arguments.emplace_back("--member");
    arguments.push_back(member);
  }
  const auto answer = chatctl(arguments);
  return answer.at("name").get<std::string>();
}

}  // namespace chat::test
