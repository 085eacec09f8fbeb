// The row of request_answers is made first and its answer put in last: a second session with the same request waits at
// the row for the first one's end, and then either finds the answer or, where the first one failed, makes the row.
#include "storage/postgres/requests/once.h"

#include "storage/postgres/fields.h"
#include "storage/postgres/requests/changes.h"
#include "storage/refusals.h"

namespace chat {
namespace {

constexpr TimeMs kKeptMs = 24LL * 60 * 60 * 1000;

constexpr Statement kClaim{"claim_request",
                           "INSERT INTO request_answers (user_name, id, operation, request, answer, at) "
                           "VALUES ($1, $2, $3, encode(sha256(convert_to($4, 'UTF8')), 'hex'), '', $5) "
                           "ON CONFLICT (user_name, id) DO NOTHING RETURNING 1"};

constexpr Statement kFound{"found_request",
                           "SELECT answer, operation = $3 AND request = encode(sha256(convert_to($4, 'UTF8')), 'hex') "
                           "FROM request_answers WHERE user_name = $1 AND id = $2"};

constexpr Statement kAnswer{"answer_request",
                            "UPDATE request_answers SET answer = $3 WHERE user_name = $1 AND id = $2"};

constexpr Statement kForget{"forget_requests",
                            "DELETE FROM request_answers WHERE ctid = ANY (ARRAY("
                            "SELECT ctid FROM request_answers WHERE at < $1 ORDER BY at LIMIT 5000))"};

// Whoever asks was let in by the broker; one that has not sent anything yet has no row.
constexpr Statement kMakeAsker{
    "make_asker", "INSERT INTO users (name, created_at) VALUES ($1, chat_now()) ON CONFLICT (name) DO NOTHING"};

}  // namespace

std::string answer_once(PostgresSession& session, const RequestKey& key,
                        const std::function<std::string(RequestChanges&)>& work) {
  if (key.id.find('\0') != std::string::npos) {
    throw StoreRefused("bad_field", "the field id holds the character U+0000, which can't be kept");
  }
  pqxx::work transaction(session.connection());
  if (session.exec(transaction, kClaim, key.user, key.id, key.operation, key.request, key.now).empty()) {
    const auto found = session.exec(transaction, kFound, key.user, key.id, key.operation, key.request);
    if (found.empty()) throw StoreUnavailable("the request's answer was forgotten just now");
    if (!found[0][1].as<bool>()) throw id_taken(key.id);
    return text(found[0][0]);
  }
  session.exec(transaction, kMakeAsker, key.user);
  PostgresChanges changes(session, transaction, key.user, key.now);
  auto answer = work(changes);
  session.exec(transaction, kAnswer, key.user, key.id, answer);
  transaction.commit();
  return answer;
}

void forget_old_answers(PostgresSession& session, TimeMs now) {
  pqxx::nontransaction transaction(session.connection());
  session.exec(transaction, kForget, now - kKeptMs);
}

}  // namespace chat
