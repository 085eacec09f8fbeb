// Requests against a private PostgreSQL: from a client's bytes to the bytes of the answer, through the desk and the
// handlers, with messages and cursors stored as the plugin stores them. Each test has a database of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bridge/handlers/handlers.h"
#include "bridge/presence/presence_board.h"
#include "bridge/rpc/desk.h"
#include "storage/presence.h"
#include "storage/requests.h"
#include "storage/search_index.h"
#include "storage/store.h"

namespace chat::test {

using nlohmann::json;

struct Sent {
  std::string type = "text";
  std::vector<std::string> mentions{};
  std::int64_t ttl_s = 0;
  std::string payload{};  // empty: {"body":"<sender> <seq>"}
};

class RequestSuite : public ::testing::Test {
 protected:
  RequestSuite();

  // The answer to a request with that id (empty: a new one), as text and parsed.
  std::string answer_text(const std::string& user, const std::string& operation, json fields,
                          const std::string& id = {});
  json answer(const std::string& user, const std::string& operation, const json& fields, const std::string& id = {});
  // The answer, which must be a success.
  json ask(const std::string& user, const std::string& operation, const json& fields = json::object());
  // The refusal's code; "ok" where it is a success. The reason must hold `value`.
  std::string refused(const std::string& user, const std::string& operation, const json& fields,
                      const std::string& value);

  // From now on with these settings; `now` and `requests` are the suite's own.
  void work_with(Services services);

  void add_users(const std::vector<std::string>& names);
  // Made by the first one; the users are made where they are not there.
  std::string group(const std::vector<std::string>& names, const std::string& title = {});
  // Stores a message as the plugin does, a second behind the one before, and answers its seq.
  Seq send(const std::string& conv, const std::string& sender, const Sent& sent = {});
  void send_many(const std::string& conv, const std::string& sender, int count);
  // Stores that the user has read, and the device received, so much.
  void read(const std::string& conv, const std::string& user, Seq seq, const std::string& device = "phone");
  void deliver(const std::string& conv, const std::string& user, Seq seq, const std::string& device = "phone");
  // A power cut cost the plugin's journal its end: numbers go on 2^20 higher, and the void is said to be one.
  void lose_power(const std::string& conv);
  // Makes all that is stored searchable.
  void index();
  // What a recall leaves behind.
  void recall(const std::string& conv, Seq seq);
  std::vector<json> events(const std::string& conv);

  const std::string& uri() const { return uri_; }
  RequestStore& requests() { return *requests_; }
  ConvId id_of(const std::string& conv);
  void sql(const std::string& statement);
  std::int64_t number(const std::string& statement);

  PresenceStore& presence() { return *presence_; }

  PresenceBoard board_;
  TimeMs now_ = 1'750'000'000'000;  // 2025-06-15; what the handlers' clock says

 private:
  void commit(Batch batch);

  const std::string uri_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<RequestStore> requests_;
  std::unique_ptr<PresenceStore> presence_;
  std::unique_ptr<SearchIndex> index_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Desk> desk_;
  Position position_ = 0;
  int ids_ = 0;
  int losses_ = 0;
};

}  // namespace chat::test
