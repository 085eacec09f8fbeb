#include "tests/bridge/requests/request_suite.h"

#include "storage/labels.h"
#include "tests/bridge/envelopes.h"
#include "tests/storage/private_postgres.h"

namespace chat::test {

RequestSuite::RequestSuite()
    : uri_(PrivatePostgres::shared().migrated_database()),
      store_(open_postgres(uri_, "bridge_requests_test")),
      requests_(open_request_store(uri_, "bridge_requests_test")),
      presence_(open_postgres_presence(uri_, "bridge_requests_test")),
      index_(open_search_index(uri_, "bridge_requests_test")) {
  work_with({});
}

void RequestSuite::work_with(Services services) {
  services.now = [this] { return now_; };
  services.requests = requests_.get();
  services.presence = presence_.get();
  services.board = &board_;
  registry_ = std::make_unique<Registry>(all_handlers(services));
  desk_ = std::make_unique<Desk>("chat", *registry_);
}

std::string RequestSuite::answer_text(const std::string& user, const std::string& operation, json fields,
                                      const std::string& id) {
  fields["id"] = id.empty() ? "r-" + std::to_string(++ids_) : id;
  const auto handled =
      desk_->answer({"chat/rpc/" + operation, wrapped(fields.dump(), user), std::nullopt, std::nullopt});
  EXPECT_EQ(handled.trouble, "");
  return handled.answer ? handled.answer->payload : std::string("null");
}

json RequestSuite::answer(const std::string& user, const std::string& operation, const json& fields,
                          const std::string& id) {
  return json::parse(answer_text(user, operation, fields, id));
}

json RequestSuite::ask(const std::string& user, const std::string& operation, const json& fields) {
  auto got = answer(user, operation, fields);
  EXPECT_EQ(got.value("ok", false), true) << operation << " " << fields << " of " << user << ": " << got;
  return got;
}

std::string RequestSuite::refused(const std::string& user, const std::string& operation, const json& fields,
                                  const std::string& value) {
  const auto got = answer(user, operation, fields);
  if (got.value("ok", true)) return "ok";
  const auto reason = got.value("reason", "");
  EXPECT_NE(reason.find(value), std::string::npos) << operation << ": " << reason << "\nshould hold " << value;
  return got.value("code", "");
}

void RequestSuite::add_users(const std::vector<std::string>& names) {
  for (const auto& name : names) store_->load_user(name, 0, true);
}

std::string RequestSuite::group(const std::vector<std::string>& names, const std::string& title) {
  add_users(names);
  return ask(names.front(), "conversation.create", {{"title", title}, {"members", names}}).at("conv");
}

ConvId RequestSuite::id_of(const std::string& conv) {
  return store_->find_conversation(conv).value().id;
}

Seq RequestSuite::send(const std::string& conv, const std::string& sender, const Sent& sent) {
  const auto state = store_->find_conversation(conv).value();
  now_ += 1000;
  StoredMessage message;
  message.conv_id = state.id;
  message.seq = state.last_seq + 1;
  message.server_time = now_;
  message.sender = sender;
  message.mid = {0x01, 0x97, static_cast<std::uint8_t>(message.seq >> 8), static_cast<std::uint8_t>(message.seq), 0x70};
  message.type = message_type_from(sent.type).value();
  message.mentions = sent.mentions;
  message.ttl_s = sent.ttl_s;
  message.payload =
      sent.payload.empty() ? R"({"body":")" + sender + " " + std::to_string(message.seq) + "\"}" : sent.payload;
  Batch batch;
  batch.messages.push_back(message);
  commit(batch);
  return message.seq;
}

void RequestSuite::send_many(const std::string& conv, const std::string& sender, int count) {
  for (int i = 0; i < count; ++i) send(conv, sender);
}

void RequestSuite::read(const std::string& conv, const std::string& user, Seq seq, const std::string& device) {
  Batch batch;
  batch.cursors.push_back({id_of(conv), user, device, seq, 0, seq, now_});
  commit(batch);
}

void RequestSuite::deliver(const std::string& conv, const std::string& user, Seq seq, const std::string& device) {
  store_->open_device(user, device);  // a cursor belongs to a device that was seen
  Batch batch;
  batch.cursors.push_back({id_of(conv), user, device, seq, 0, 0, now_});
  commit(batch);
}

void RequestSuite::lose_power(const std::string& conv) {
  store_->load_conversation(conv, {.source = {{1, 2, 3}, losses_}});
  store_->load_conversation(conv, {.source = {{1, 2, 3}, ++losses_}});
}

void RequestSuite::index() {
  while (number("SELECT count(*) FROM conversations c LEFT JOIN search_progress p ON p.conv_id = c.id "
                "WHERE c.last_seq > coalesce(p.seq, 0)") > 0) {
    if (!index_->index_some()) index_->wait(std::chrono::seconds(1));
  }
}

void RequestSuite::recall(const std::string& conv, Seq seq) {
  const auto where = " WHERE conv_id = " + std::to_string(id_of(conv)) + " AND seq = " + std::to_string(seq) +
                     " AND recalled_at IS NULL";
  sql("WITH gone AS (UPDATE messages SET recalled_at = " + std::to_string(now_) + R"(, payload = '{"recalled":true}')" +
      where + " RETURNING conv_id, seq, recalled_at) " +
      "INSERT INTO voids (conv_id, first_seq, last_seq, void_at) SELECT conv_id, seq, seq, recalled_at FROM gone "
      "ON CONFLICT (conv_id, last_seq) DO UPDATE SET void_at = least(voids.void_at, excluded.void_at)");
}

std::vector<json> RequestSuite::events(const std::string& conv) {
  std::vector<json> events;
  for (const auto& event : store_->events_above(id_of(conv), 0, 10'000)) {
    events.push_back(json::parse(event.payload));
    EXPECT_EQ(events.back()["rev"], events.size()) << "a hole in rev";
  }
  return events;
}

void RequestSuite::sql(const std::string& statement) {
  PrivatePostgres::shared().run_sql(uri_, statement);
}

std::int64_t RequestSuite::number(const std::string& statement) {
  return PrivatePostgres::shared().number(uri_, statement);
}

void RequestSuite::commit(Batch batch) {
  batch.journal = {1, 2, 3};
  batch.from = position_;
  batch.to = position_ += 100;
  store_->commit(batch);
}

}  // namespace chat::test
