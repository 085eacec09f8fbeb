// Conversations that are behind are found by comparing marks: a look over all of them. Its cost rises with
// their number, so after each one no other is taken for some times as long.
#include "storage/search_index.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "storage/postgres/array_text.h"
#include "storage/postgres/commit.h"
#include "storage/postgres/conninfo.h"
#include "storage/postgres/failure.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/interrupter.h"
#include "storage/postgres/months.h"
#include "storage/postgres/search_rows.h"
#include "storage/search_text.h"

namespace chat {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMessagesAtOnce = 2000;
constexpr std::int64_t kBytesAtOnce = 4 << 20;
constexpr int kConversationsAtOnce = 500;
constexpr int kRestBehindLook = 9;  // times what a look took

constexpr Statement kBehind{
    "search_behind",
    "SELECT c.id, c.last_seq FROM conversations c LEFT JOIN search_progress p ON p.conv_id = c.id "
    "WHERE c.last_seq > coalesce(p.seq, 0) ORDER BY c.last_seq - coalesce(p.seq, 0), c.id LIMIT $1"};

// In order of id, as everybody who locks several of them.
constexpr Statement kMakeMarks{"make_search_marks",
                               "INSERT INTO search_progress (conv_id, seq) "
                               "SELECT id, 0 FROM unnest($1::bigint[]) AS u (id) ORDER BY id ON CONFLICT DO NOTHING"};
constexpr Statement kLockMarks{"lock_search_marks",
                               "SELECT conv_id, seq FROM search_progress WHERE conv_id = ANY ($1::bigint[]) "
                               "ORDER BY conv_id FOR UPDATE"};

constexpr Statement kRead{"search_read",
                          "SELECT o_conv_id, o_seq, o_server_time, o_sender, o_payload "
                          "FROM chat_messages_above($1, $2, $3, $4)"};

constexpr Statement kPut{"search_put",
                         "INSERT INTO message_words (conv_id, seq, server_time, words) "
                         "SELECT u.conv_id, u.seq, u.server_time, u.words::tsvector "
                         "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) "
                         "AS u (conv_id, seq, server_time, words) ORDER BY u.server_time ON CONFLICT DO NOTHING"};

constexpr Statement kMove{"search_move",
                          "UPDATE search_progress p SET seq = u.seq FROM unnest($1::bigint[], $2::bigint[]) "
                          "AS u (conv_id, seq) WHERE p.conv_id = u.conv_id AND p.seq < u.seq"};

// A commit may be lost with PostgreSQL's machine: then words and mark are lost together, and made again.
constexpr const char* kSettings = "SET synchronous_commit = off";

struct Behind {
  ConvId conv_id = 0;
  Seq last_seq = 0;  // committed before anything else of it is read
};

// What one transaction writes.
struct Rows {
  ArrayText convs;
  ArrayText seqs;
  ArrayText times;
  ArrayText vectors;
  std::set<int> months;
  std::vector<TimeMs> new_months;  // a time in each that is not known to be there
};

class PostgresSearchIndex : public SearchIndex {
 public:
  explicit PostgresSearchIndex(std::string conninfo) : conninfo_(std::move(conninfo)) {}
  ~PostgresSearchIndex() override { drop(); }

  bool index_some() override {
    bool more = false;
    guarded([&](PostgresSession& session) {
      put_off_ = Clock::now() < look_again_;
      if (!put_off_) look(session);
      if (behind_.empty()) return;
      index(session);
      more = true;
    });
    return more;
  }

  void wait(std::chrono::milliseconds timeout) override {
    using std::chrono::milliseconds;
    if (put_off_) {
      const auto rest = std::chrono::duration_cast<milliseconds>(look_again_ - Clock::now()) + milliseconds(1);
      timeout = std::clamp(rest, milliseconds(0), timeout);
    }
    guarded([&](PostgresSession& session) {
      session.connection().await_notification(static_cast<long>(timeout.count() / 1000),
                                              static_cast<long>(timeout.count() % 1000 * 1000));
      if (!session.alive()) throw pqxx::broken_connection();
    });
  }

  void interrupt() noexcept override { interrupter_.trip(); }

 private:
  void look(PostgresSession& session) {
    const auto begin = Clock::now();
    behind_.clear();
    pqxx::nontransaction transaction(session.connection());
    for (const auto& row : session.exec(transaction, kBehind, kConversationsAtOnce)) {
      behind_.push_back({number(row[0]), number(row[1])});
    }
    const auto end = Clock::now();
    look_again_ = end + kRestBehindLook * (end - begin);
  }

  void index(PostgresSession& session) {
    pqxx::work transaction(session.connection());
    const auto marks = lock(session, transaction);
    ArrayText convs;
    ArrayText aboves;
    for (const auto& conv : behind_) {
      convs.add(conv.conv_id);
      aboves.add(marks.at(conv.conv_id));
    }
    const auto read = session.exec(transaction, kRead, convs.text(), aboves.text(), kMessagesAtOnce, kBytesAtOnce);
    Rows rows;
    std::map<ConvId, Seq> reached;  // may lie behind last_seq: more was committed since
    std::int64_t bytes = 0;
    for (const auto& row : read) {
      bytes += add(row, &rows);
      reached[number(row[0])] = number(row[1]);
    }
    for (const TimeMs time : rows.new_months) session.exec(transaction, kMakeWordsMonth, time);
    session.exec(transaction, kPut, rows.convs.text(), rows.seqs.text(), rows.times.text(), rows.vectors.text());

    // A page that is full ends inside its last conversation; else all are indexed as far as they were committed.
    const bool full = bytes >= kBytesAtOnce || static_cast<int>(read.size()) == kMessagesAtOnce;
    const ConvId cut = full ? number(read[read.size() - 1][0]) : 0;
    ArrayText moved;
    ArrayText marked;
    std::size_t done = 0;
    for (; done < behind_.size(); ++done) {
      const auto& conv = behind_[done];
      moved.add(conv.conv_id);
      marked.add(conv.conv_id == cut ? reached[cut] : std::max(conv.last_seq, reached[conv.conv_id]));
      if (conv.conv_id == cut) break;
    }
    session.exec(transaction, kMove, moved.text(), marked.text());
    commit_or_doubt(session, transaction);
    months_.insert(rows.months.begin(), rows.months.end());
    behind_.erase(behind_.begin(), behind_.begin() + static_cast<std::ptrdiff_t>(done));
  }

  // Answers where each conversation of behind_ stands, and keeps it there.
  std::map<ConvId, Seq> lock(PostgresSession& session, pqxx::work& transaction) {
    ArrayText convs;
    for (const auto& conv : behind_) convs.add(conv.conv_id);
    session.exec(transaction, kMakeMarks, convs.text());
    std::map<ConvId, Seq> marks;
    for (const auto& row : session.exec(transaction, kLockMarks, convs.text())) marks[number(row[0])] = number(row[1]);
    return marks;
  }

  // Answers the bytes of its payload.
  std::int64_t add(const compat::Row& row, Rows* rows) {
    const auto payload = text(row[4]);
    const auto vector = search_vector(search_text(payload), number(row[0]), text(row[3]));
    if (!vector.empty()) {
      const TimeMs time = number(row[2]);
      rows->convs.add(number(row[0]));
      rows->seqs.add(number(row[1]));
      rows->times.add(time);
      rows->vectors.add(vector);
      const int month = month_of(time);
      if (!months_.contains(month) && rows->months.insert(month).second) rows->new_months.push_back(time);
    }
    return static_cast<std::int64_t>(payload.size());
  }

  template <typename Work>
  void guarded(Work work) {
    if (interrupter_.tripped()) throw StoreUnavailable("interrupted: the program is ending");
    try {
      if (!session_) connect();
      work(*session_);
    } catch (const StoreInDoubt&) {
      drop();
      throw;
    } catch (const StoreError&) {
      forget();
      throw;
    } catch (const std::exception&) {
      forget();
      if (!session_ || !session_->alive()) drop();
      throw_store_error();
    }
  }

  void connect() {
    session_ = std::make_unique<PostgresSession>(conninfo_, PostgresSession::Schema::kCheck);
    interrupter_.watch(session_->socket());
    pqxx::nontransaction(session_->connection()).exec(kSettings);
    listener_ = std::make_unique<compat::Listener>(session_->connection(), "chat_activity", [](const std::string&) {});
  }

  // What was known of the database may be so no more.
  void forget() {
    behind_.clear();
    months_.clear();
    look_again_ = {};
  }

  void drop() noexcept {
    forget();
    interrupter_.watch(-1);
    listener_.reset();
    session_.reset();
  }

  const std::string conninfo_;
  Interrupter interrupter_;
  std::unique_ptr<PostgresSession> session_;
  std::unique_ptr<compat::Listener> listener_;  // goes before the session
  std::vector<Behind> behind_;                  // those with little to index first
  Clock::time_point look_again_;                // not before
  bool put_off_ = false;                        // a look that was asked for
  std::set<int> months_;                        // that have a partition; as month_of() counts them
};

}  // namespace

std::unique_ptr<SearchIndex> open_search_index(const std::string& uri, std::string_view application_name) {
  return std::make_unique<PostgresSearchIndex>(with_defaults(uri, application_name));
}

}  // namespace chat
