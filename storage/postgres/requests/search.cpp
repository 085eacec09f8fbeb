// How a search stays quick whatever the words are.
//
// Words that many messages have are found by walking from the newest message on: the page is full after a few hundred.
// The walk is short (kWalk), and counts as it goes. What it does not fill is looked up in the index, month by month,
// newest first: by then it is known that the user can see few matches, so there are few to sort. Where the words alone
// would still bring many messages of others, the index is asked for the words in each of the user's conversations. What
// goes beyond kLooksMost is walked through for a while, and the page ends where the walk came to.
#include <algorithm>

#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/requests/reading.h"
#include "storage/refusals.h"
#include "storage/search_words.h"

namespace chat {
namespace {

constexpr int kWalk = 5000;                // messages that one walk goes through
constexpr int kWalksOnMost = 4;            // before the index is asked
constexpr int kWalksMost = 10;             // of one search
constexpr double kMatchesMost = 10'000;    // in one month, that are looked at one by one
constexpr std::int64_t kLooksMost = 1000;  // into the index, for one search: a month, or a conversation in a month
constexpr double kRowBytes = 250;          // of message_words, about

constexpr Statement kWalkThrough{"search_walk",
                                 "SELECT o_found, o_server_time, o_conv_id, o_seq, o_walked, o_matched "
                                 "FROM chat_search_walk($1, $2::text::tsquery, $3, $4, $5, $6, $7, $8)"};

// The months that are there, newest first, by what their times lie below and with their size; beside each how many
// conversations the user has. A row without a month only says that.
constexpr Statement kMonths{
    "search_months",
    "SELECT (SELECT count(*) FROM members WHERE user_name = $1), p.name, p.low, p.bytes FROM (SELECT 1) one LEFT JOIN ("
    "SELECT c.relname AS name, pg_relation_size(c.oid) AS bytes, "
    "(extract(epoch FROM to_date(right(c.relname, 7), 'YYYY_MM')) * 1000)::bigint AS low "
    "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'message_words'::regclass) p "
    "ON p.low <= $2 ORDER BY p.low DESC"};

constexpr Statement kMonth{"search_in_month",
                           "SELECT o_server_time, o_conv_id, o_seq "
                           "FROM chat_search_month($1, $2, $3, $4::text::tsquery, $5, $6, $7, $8, $9)"};

constexpr Statement kFetch{
    "search_fetch",
    "SELECT k.n, c.name, t.seq, t.server_time, t.sender, t.mid, t.type, t.payload "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS k (conv_id, seq, server_time, n) "
    "JOIN conversations c ON c.id = k.conv_id CROSS JOIN LATERAL (SELECT * FROM messages m "
    "WHERE m.conv_id = k.conv_id AND m.seq = k.seq AND m.server_time = k.server_time AND m.recalled_at IS NULL "
    "AND NOT chat_expired(m.server_time, m.ttl_s, $4) OFFSET 0) t ORDER BY k.n"};

StoredMessage message_of(const compat::Row& row) {
  StoredMessage message;
  message.conv = text(row[1]);
  message.seq = number(row[2]);
  message.server_time = number(row[3]);
  message.sender = text(row[4]);
  message.mid = uuid(row[5]);
  message.type = static_cast<MessageType>(number(row[6]));
  message.payload = text(row[7]);
  return message;
}

// One search: gathers the keys of a page, newest first.
class Search {
 public:
  Search(PostgresSession& session, pqxx::transaction_base& transaction, const std::string& user,
         const SearchWanted& wanted, std::string query, int limit)
      : session_(session),
        transaction_(transaction),
        user_(user),
        wanted_(wanted),
        query_(std::move(query)),
        limit_(limit),
        place_(wanted.below) {}

  void run() {
    if (walk()) return;
    while (worth_walking_on()) {
      if (walk()) return;
    }
    const auto months = exec(kMonths, user_, place_.server_time);
    const auto conversations = wanted_.conv_id != 0 ? 1 : number(months[0][0]);
    std::int64_t looks = 0;
    for (const auto& row : months) {
      if (row[1].is_null()) break;
      const bool each = wanted_.conv_id == 0 && matches_in(number(row[3])) > kMatchesMost;
      looks += each ? conversations : 1;
      if (looks > kLooksMost) return go_on_walking();
      look(text(row[1]), each);
      if (full()) return;
      place_ = {number(row[2]), 0, 0};  // all that is later is found
      if (place_.server_time <= wanted_.after) break;
    }
    done_ = true;
  }

  const std::vector<SearchPlace>& found() const { return found_; }
  bool full() const { return static_cast<int>(found_.size()) > limit_; }
  // Where the next page begins, unless that was all. Not for one that is full.
  std::optional<SearchPlace> end() const { return done_ ? std::nullopt : std::optional(place_); }

 private:
  template <typename... Args>
  pqxx::result exec(const Statement& statement, const Args&... args) {
    return session_.exec(transaction_, statement, args...);
  }
  int missing() const { return limit_ + 1 - static_cast<int>(found_.size()); }

  // The page will be full after a little more.
  bool worth_walking_on() const {
    if (found_.empty() || walked_ >= kWalksOnMost * kWalk) return false;
    return walked_ * missing() / static_cast<std::int64_t>(found_.size()) <= (kWalksOnMost - 1) * kWalk;
  }

  // True: there is nothing more to look for.
  bool walk() {
    std::int64_t walked = 0;
    for (const auto& row : exec(kWalkThrough, user_, query_, wanted_.after, place_.server_time, place_.conv_id,
                                place_.seq, kWalk, missing())) {
      if (row[0].as<bool>()) {
        found_.push_back({number(row[1]), number(row[2]), number(row[3])});
        continue;
      }
      walked = number(row[4]);
      walked_ += walked;
      matched_ += number(row[5]);
      if (walked > 0) place_ = {number(row[1]), number(row[2]), number(row[3])};
    }
    done_ = !full() && walked < kWalk;
    return done_ || full();
  }

  // In a month of this size, if they are as many there as where the walk went.
  double matches_in(std::int64_t bytes) const {
    return static_cast<double>(matched_ + 1) / static_cast<double>(walked_) * static_cast<double>(bytes) / kRowBytes;
  }

  void look(const std::string& month, bool each) {
    for (const auto& row : exec(kMonth, month, each, user_, query_, wanted_.after, place_.server_time, place_.conv_id,
                                place_.seq, missing())) {
      found_.push_back({number(row[0]), number(row[1]), number(row[2])});
    }
  }

  void go_on_walking() {
    for (int walks = 1; walks < kWalksMost && !walk(); ++walks) continue;
  }

  PostgresSession& session_;
  pqxx::transaction_base& transaction_;
  const std::string& user_;
  const SearchWanted& wanted_;
  const std::string query_;
  const int limit_;
  SearchPlace place_;  // everything above is found
  std::vector<SearchPlace> found_;
  std::int64_t walked_ = 0;
  std::int64_t matched_ = 0;
  bool done_ = false;
};

}  // namespace

SearchPage read_search(PostgresSession& session, const std::string& user, const SearchWanted& wanted, int limit,
                       std::size_t bytes_max, TimeMs now) {
  auto query = word_query(wanted.words);
  if (!query) throw no_words(wanted.words);
  if (wanted.conv_id != 0) *query += " & " + conversation_word(wanted.conv_id);
  if (!wanted.from.empty()) *query += " & " + sender_word(wanted.from);
  pqxx::nontransaction transaction(session.connection());
  Search search(session, transaction, user, wanted, *std::move(query), limit);
  search.run();

  const auto count = std::min(search.found().size(), static_cast<std::size_t>(limit));
  ArrayText convs;
  ArrayText seqs;
  ArrayText times;
  for (std::size_t i = 0; i < count; ++i) {
    convs.add(search.found()[i].conv_id);
    seqs.add(search.found()[i].seq);
    times.add(search.found()[i].server_time);
  }
  SearchPage page;
  page.next = search.full() ? std::optional(search.found()[count - 1]) : search.end();
  std::size_t bytes = 0;
  for (const auto& row : session.exec(transaction, kFetch, convs.text(), seqs.text(), times.text(), now)) {
    bytes += row[7].size();
    page.rows.push_back(message_of(row));
    const auto n = static_cast<std::size_t>(number(row[0]));
    if (bytes < bytes_max || n == count) continue;
    page.next = search.found()[n - 1];
    break;
  }
  return page;
}

}  // namespace chat
