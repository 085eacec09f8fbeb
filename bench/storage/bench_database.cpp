#include "bench/storage/bench_database.h"

#include <unistd.h>

#include <pqxx/pqxx>

namespace chat::bench {
namespace {

constexpr int kPayloadBytes = 250;

void run(const std::string& uri, const std::string& sql) {
  pqxx::connection connection(uri);
  pqxx::nontransaction(connection).exec(sql);
}

}  // namespace

// The name of the new database goes behind the server's own settings: libpq takes the last.
BenchDatabase::BenchDatabase(std::string server)
    : server_(std::move(server)), name_("chat_bench_" + std::to_string(::getpid())) {
  run(server_, "CREATE DATABASE " + name_ + " TEMPLATE template0");
  const bool is_uri = server_.find("://") != std::string::npos;
  uri_ = server_ + (!is_uri ? " " : server_.find('?') == std::string::npos ? "?" : "&") + "dbname=" + name_;
  migrate_postgres(uri_);
}

BenchDatabase::~BenchDatabase() {
  try {
    run(server_, "DROP DATABASE " + name_ + " WITH (FORCE)");
  } catch (const std::exception&) {
    // it stays behind, under a name that says what it is
  }
}

BenchDatabase*& BenchDatabase::current() {
  static BenchDatabase* database = nullptr;
  return database;
}

void BenchDatabase::run_sql(const std::string& sql) const {
  run(uri_, sql);
}

std::vector<ConversationState> groups(Store& store, const std::string& title, int count, int members) {
  std::vector<std::string> names;
  for (int i = 0; i < members; ++i) {
    names.push_back("user" + std::to_string(i));
    store.load_user(names.back(), 0, true);
  }
  std::vector<ConversationState> found;
  for (const auto& row : store.list_conversations("", 1'000'000)) {
    if (row.title == title) found.push_back(store.find_conversation(row.name).value());
  }
  while (static_cast<int>(found.size()) < count) {
    found.push_back(store.find_conversation(store.create_group(title, names.front(), names, kStart)).value());
  }
  return found;
}

StoredMessage message(const ConversationState& conv, Seq seq, TimeMs time, int sender) {
  StoredMessage message;
  message.conv_id = conv.id;
  message.seq = seq;
  message.server_time = time;
  message.sender = "user" + std::to_string(sender);
  message.id = "msg-" + std::to_string(conv.id) + "-" + std::to_string(seq);
  for (std::size_t i = 0; i < 8; ++i) message.mid[i] = static_cast<std::uint8_t>(time >> (8 * (7 - i)));
  message.payload = "{\"id\":\"" + message.id + "\",\"type\":\"text\",\"body\":\"";
  message.payload.resize(kPayloadBytes - 2, 'x');
  message.payload += "\"}";
  return message;
}

Batch Batches::next(int messages, int cursors, int senders) {
  Batch batch;
  batch.journal = {0xbe, journal_};
  batch.from = position_;
  for (int i = 0; i < messages; ++i) {
    auto& conv = convs_[turn_++ % convs_.size()];
    batch.messages.push_back(message(conv, ++conv.last_seq, ++now, i % senders));
  }
  for (int i = 0; i < cursors; ++i) {
    const auto& conv = convs_[static_cast<std::size_t>(i) % convs_.size()];
    const auto user =
        "user" + std::to_string(static_cast<std::size_t>(i) / convs_.size() % static_cast<std::size_t>(senders));
    batch.cursors.push_back({conv.id, user, "phone", conv.last_seq, 1, i % 2 == 0 ? conv.last_seq : 0, now});
  }
  position_ += static_cast<Position>(messages) * 300 + 1;
  batch.to = position_;
  return batch;
}

}  // namespace chat::bench
