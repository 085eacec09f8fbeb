#include "storage/postgres/change_feed.h"

#include <nlohmann/json.hpp>

namespace chat {
namespace {

// The notices come from the triggers of the schema. Anyone may write on the channel: what can't be read means "look
// again".
Change change_of(const std::string& notice) {
  const auto json = nlohmann::json::parse(notice, nullptr, false);
  if (!json.is_object()) return {Change::Kind::kEverything, "", ""};
  const auto word = [&](const char* key) {
    return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
  };
  const auto kind = word("kind");
  if (kind == "conversation") return {Change::Kind::kConversation, word("name"), ""};
  if (kind == "events") return {Change::Kind::kEvents, word("name"), ""};
  if (kind == "contacts") return {Change::Kind::kContacts, word("name"), ""};
  if (kind == "device") return {Change::Kind::kDevice, word("name"), word("device")};
  return {Change::Kind::kEverything, "", ""};
}

}  // namespace

std::vector<Change> PostgresChangeFeed::wait(std::chrono::milliseconds timeout) {
  const auto notices = notices_.wait(timeout);
  if (!notices) return {Change{Change::Kind::kEverything, "", ""}};
  std::vector<Change> changes;
  changes.reserve(notices->size());
  for (const auto& notice : *notices) changes.push_back(change_of(notice));
  return changes;
}

}  // namespace chat
