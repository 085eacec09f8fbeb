// Why no receipt is lost between a commit and its telling: a row says what was told before and where its member stands
// now. A commit only ever raises the latter; the row goes when it stands where it was told, in one statement that the
// commit's row lock keeps apart from it. What the commit has locked is left alone: it is rising just now.
#include "storage/receipts.h"

#include <nlohmann/json.hpp>

#include "storage/postgres/array_text.h"
#include "storage/postgres/conninfo.h"
#include "storage/postgres/failure.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/interrupter.h"
#include "storage/postgres/session.h"

namespace chat {
namespace {

// A member's last own message tells whether they have sent any above what was told: nobody has to look for messages. It
// may lie above what is told now, too; then they learn what is true, if not of a message of theirs.
constexpr Statement kDue{
    "due_receipts",
    "SELECT r.conv_id, r.user_name, c.name, r.delivered, r.read, r.at, to_json(ARRAY(SELECT m.user_name FROM members m "
    "WHERE m.conv_id = r.conv_id AND m.user_name <> r.user_name "
    "AND (r.delivered > r.delivered_from AND m.last_sent_seq > r.delivered_from "
    "OR r.read > r.read_from AND m.last_sent_seq > r.read_from) ORDER BY m.user_name)) "
    "FROM receipts_due r JOIN conversations c ON c.id = r.conv_id "
    "WHERE (r.conv_id, r.user_name) > ($1::bigint, $2::text) ORDER BY r.conv_id, r.user_name LIMIT $3"};

constexpr Statement kTold{
    "told_receipts",
    "WITH told AS (SELECT r.conv_id, r.user_name, u.delivered, u.read FROM receipts_due r "
    "JOIN unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) AS u (conv_id, user_name, delivered, read) "
    "ON r.conv_id = u.conv_id AND r.user_name = u.user_name FOR UPDATE OF r SKIP LOCKED), "
    "gone AS (DELETE FROM receipts_due r USING told t WHERE r.conv_id = t.conv_id AND r.user_name = t.user_name "
    "AND r.delivered <= t.delivered AND r.read <= t.read) "
    "UPDATE receipts_due r SET delivered_from = greatest(r.delivered_from, t.delivered), "
    "read_from = greatest(r.read_from, t.read) FROM told t WHERE r.conv_id = t.conv_id AND r.user_name = t.user_name "
    "AND (r.delivered > t.delivered OR r.read > t.read)"};

class PostgresReceipts : public ReceiptStore {
 public:
  explicit PostgresReceipts(std::string conninfo) : conninfo_(std::move(conninfo)) {}
  ~PostgresReceipts() override { drop(); }

  std::vector<DueReceipt> due(const std::optional<MemberKey>& behind, int limit) override {
    std::vector<DueReceipt> all;
    guarded([&](PostgresSession& session) {
      pqxx::nontransaction transaction(session.connection());
      const auto from = behind.value_or(MemberKey{});
      for (const auto& row : session.exec(transaction, kDue, from.conv_id, from.user, limit)) {
        all.push_back({{number(row[0]), text(row[1])},
                       text(row[2]),
                       number(row[3]),
                       number(row[4]),
                       number(row[5]),
                       nlohmann::json::parse(row[6].c_str()).get<std::vector<std::string>>()});
      }
    });
    return all;
  }

  void told(std::span<const ToldReceipt> receipts) override {
    ArrayText convs;
    ArrayText users;
    ArrayText delivered;
    ArrayText read;
    for (const auto& receipt : receipts) {
      convs.add(receipt.key.conv_id);
      users.add(receipt.key.user);
      delivered.add(receipt.delivered);
      read.add(receipt.read);
    }
    guarded([&](PostgresSession& session) {
      pqxx::nontransaction transaction(session.connection());
      session.exec(transaction, kTold, convs.text(), users.text(), delivered.text(), read.text());
    });
  }

  bool wait(std::chrono::milliseconds timeout) override {
    bool heard = false;
    guarded([&](PostgresSession& session) {
      session.connection().await_notification(static_cast<long>(timeout.count() / 1000),
                                              static_cast<long>(timeout.count() % 1000 * 1000));
      if (!session.alive()) throw pqxx::broken_connection();
      heard = std::exchange(heard_, false);
    });
    return heard;
  }

  void interrupt() noexcept override { interrupter_.trip(); }

 private:
  // A connection that listens from its first moment on: what was committed before, due() sees.
  template <typename Work>
  void guarded(Work work) {
    if (interrupter_.tripped()) throw StoreUnavailable("interrupted: the program is ending");
    try {
      if (!session_) {
        session_ = std::make_unique<PostgresSession>(conninfo_, PostgresSession::Schema::kCheck);
        interrupter_.watch(session_->socket());
        listener_ = std::make_unique<compat::Listener>(session_->connection(), "chat_receipts",
                                                       [this](const std::string&) { heard_ = true; });
        heard_ = true;  // what came before
      }
      work(*session_);
    } catch (const StoreError&) {
      throw;  // the store's own answer: the session is in order
    } catch (const std::exception&) {
      if (!session_ || !session_->alive()) drop();
      throw_store_error();
    }
  }

  void drop() noexcept {
    interrupter_.watch(-1);
    listener_.reset();
    session_.reset();
  }

  const std::string conninfo_;
  Interrupter interrupter_;
  std::unique_ptr<PostgresSession> session_;
  std::unique_ptr<compat::Listener> listener_;  // goes before the session
  bool heard_ = false;
};

}  // namespace

std::unique_ptr<ReceiptStore> open_receipt_store(const std::string& uri, std::string_view application_name) {
  return std::make_unique<PostgresReceipts>(with_defaults(uri, application_name));
}

}  // namespace chat
