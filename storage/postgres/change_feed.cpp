#include "storage/postgres/change_feed.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "storage/postgres/failure.h"

namespace chat {
namespace {

using Clock = std::chrono::steady_clock;

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

void PostgresChangeFeed::drop() noexcept {
  interrupter_.watch(-1);
  listener_.reset();
  session_.reset();
}

void PostgresChangeFeed::listen() {
  session_ = std::make_unique<Session>(conninfo_, Session::Schema::kCheck);
  interrupter_.watch(session_->socket());
  listener_ =
      std::make_unique<compat::Listener>(session_->connection(), "chat_changed",
                                         [this](const std::string& notice) { changes_.push_back(change_of(notice)); });
}

void PostgresChangeFeed::collect(std::chrono::milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  do {
    const auto left = std::max(std::chrono::duration_cast<std::chrono::microseconds>(end - Clock::now()),
                               std::chrono::microseconds(0));
    session_->connection().await_notification(static_cast<long>(left.count() / 1'000'000),
                                              static_cast<long>(left.count() % 1'000'000));
    if (!session_->alive()) throw pqxx::broken_connection();
  } while (changes_.empty() && Clock::now() < end);
}

std::vector<Change> PostgresChangeFeed::wait(std::chrono::milliseconds timeout) {
  if (interrupter_.tripped()) throw StoreUnavailable("interrupted: the program is ending");
  try {
    if (!session_) {
      listen();
      changes_.clear();
      return {Change{Change::Kind::kEverything, "", ""}};
    }
    collect(timeout);
  } catch (const StoreError&) {
    drop();
    throw;
  } catch (const std::exception&) {
    drop();
    throw_store_error();
  }
  return std::exchange(changes_, {});
}

}  // namespace chat
