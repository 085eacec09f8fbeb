// Why a batch is stored exactly once: the first statement moves the journal's checkpoint from the batch's start to its
// end and locks it. A second session with the same batch waits there, then finds the checkpoint moved and leaves; a
// lost COMMIT either moved it together with everything else, or left all as it was.
//
// Locks are taken in one order everywhere: journal, conversations, members, cursors.
#include "storage/postgres/commit.h"

#include <charconv>
#include <optional>
#include <string>

#include "storage/errors.h"
#include "storage/postgres/failure.h"
#include "storage/uuid.h"

namespace chat {
namespace {

constexpr Statement kCheckpoint{"checkpoint", "SELECT position FROM journals WHERE id = $1"};

constexpr Statement kAdvance{"advance",
                             "UPDATE journals SET position = $3, committed_at = chat_now() "
                             "WHERE id = $1 AND position = $2 AND position < $3 RETURNING id"};

constexpr Statement kBegin{"begin_journal",
                           "INSERT INTO journals (id, position, committed_at) VALUES ($1, $2, chat_now()) "
                           "ON CONFLICT (id) DO NOTHING RETURNING id"};

constexpr Statement kHeads{
    "heads",
    "WITH heads AS (UPDATE conversations c SET last_seq = u.last, last_time = greatest(c.last_time, u.time) "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS u (id, first, last, time) "
    "WHERE c.id = u.id AND c.last_seq < u.first RETURNING c.id), "
    "senders AS (UPDATE members m SET last_sent_seq = greatest(m.last_sent_seq, u.seq) "
    "FROM unnest($5::bigint[], $6::text[], $7::bigint[]) AS u (conv_id, user_name, seq) "
    "WHERE m.conv_id = u.conv_id AND m.user_name = u.user_name) "
    "SELECT count(*), coalesce(array_agg(id), '{}') FROM heads"};

// Of those that kHeads left out ($3 are the others), the first.
constexpr Statement kWrongHead{
    "wrong_head",
    "SELECT u.id, u.first, c.last_seq FROM unnest($1::bigint[], $2::bigint[]) AS u (id, first) "
    "LEFT JOIN conversations c ON c.id = u.id WHERE u.id <> ALL ($3::bigint[]) ORDER BY u.id LIMIT 1"};

// Before kCursors, while the cursors still say what was told. Receipts concern the other members who have sent
// something above that; where there are none, or the group is larger than $6 members, nobody is told. The notice wakes
// the bridge. OFFSET 0: each cursor is looked up by its key, also where PostgreSQL has no statistics yet.
constexpr Statement kReceipts{
    "raise_receipts",
    "WITH due AS (INSERT INTO receipts_due AS r (conv_id, user_name, delivered_from, read_from, delivered, read, at) "
    "SELECT m.conv_id, m.user_name, o.delivered, m.read_seq, greatest(o.delivered, n.delivered), "
    "greatest(m.read_seq, n.read), u.at "
    "FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) "
    "AS u (conv_id, user_name, delivered, read, at) "
    "JOIN conversations c ON c.id = u.conv_id AND (c.kind = 0 OR c.member_count <= $6) "
    "JOIN members m ON m.conv_id = u.conv_id AND m.user_name = u.user_name "
    "CROSS JOIN LATERAL (SELECT least(u.delivered, c.last_seq) AS delivered, least(u.read, c.last_seq) AS read) n "
    "CROSS JOIN LATERAL (SELECT greatest(m.join_seq - 1, m.read_seq, max(k.delivered_seq)) AS delivered FROM devices d "
    "CROSS JOIN LATERAL (SELECT delivered_seq FROM device_cursors WHERE user_name = d.user_name AND device = d.device "
    "AND conv_id = m.conv_id OFFSET 0) k "
    "WHERE d.user_name = m.user_name) o "
    "WHERE (n.delivered > o.delivered OR n.read > m.read_seq) AND EXISTS (SELECT FROM members s "
    "WHERE s.conv_id = m.conv_id AND s.user_name <> m.user_name AND (n.delivered > o.delivered "
    "AND s.last_sent_seq > o.delivered OR n.read > m.read_seq AND s.last_sent_seq > m.read_seq)) "
    "ORDER BY m.conv_id, m.user_name "
    "ON CONFLICT (conv_id, user_name) DO UPDATE SET delivered = greatest(r.delivered, excluded.delivered), "
    "read = greatest(r.read, excluded.read), at = greatest(r.at, excluded.at) RETURNING 1) "
    "SELECT pg_notify('chat_receipts', '') FROM due LIMIT 1"};

// A cursor starts from what its user may see (no row says join_seq - 1), never passes the conversation's end, and never
// falls.
constexpr Statement kCursors{
    "cursors",
    "WITH reads AS (UPDATE members m SET read_seq = least(u.seq, c.last_seq), read_at = greatest(m.read_at, u.at) "
    "FROM unnest($7::bigint[], $8::text[], $9::bigint[], $10::bigint[]) AS u (conv_id, user_name, seq, at) "
    "JOIN conversations c ON c.id = u.conv_id "
    "WHERE m.conv_id = u.conv_id AND m.user_name = u.user_name AND m.read_seq < least(u.seq, c.last_seq)) "
    "INSERT INTO device_cursors AS d (user_name, device, conv_id, delivered_seq, delivered_rev, at) "
    "SELECT u.user_name, u.device, u.conv_id, greatest(m.join_seq - 1, least(u.delivered, c.last_seq)), "
    "greatest(m.join_rev - 1, least(u.rev, c.last_rev)), u.at "
    "FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) "
    "AS u (user_name, device, conv_id, delivered, rev, at) "
    "JOIN conversations c ON c.id = u.conv_id JOIN members m ON m.conv_id = u.conv_id AND m.user_name = u.user_name "
    "ORDER BY u.user_name, u.device, u.conv_id "
    "ON CONFLICT (user_name, device, conv_id) DO UPDATE SET "
    "delivered_seq = greatest(d.delivered_seq, excluded.delivered_seq), "
    "delivered_rev = greatest(d.delivered_rev, excluded.delivered_rev), at = greatest(d.at, excluded.at) "
    "WHERE d.delivered_seq < excluded.delivered_seq OR d.delivered_rev < excluded.delivered_rev"};

// An expired message is unread to nobody.
constexpr Statement kVoids{
    "voids",
    "INSERT INTO voids (conv_id, first_seq, last_seq, void_at) "
    "SELECT u.conv_id, u.seq, u.seq, u.void_at FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) "
    "AS u (conv_id, seq, void_at)"};

constexpr Statement kCommands{
    "commands",
    "INSERT INTO commands (journal, position, conv_id, operation, user_name, device, server_time, payload) "
    "SELECT $1::uuid, u.* FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], "
    "$8::text[]) "
    "AS u (position, conv_id, operation, user_name, device, server_time, payload) "
    "ON CONFLICT (journal, position) DO NOTHING"};

// Goes out with the commit.
constexpr Statement kTellActivity{"tell_activity",
                                  "SELECT pg_notify('chat_activity', notice) FROM unnest($1::text[]) AS notice"};

enum class Advance { kMoved, kBehindUs };

Advance advance(PostgresSession& session, pqxx::work& transaction, const Batch& batch) {
  const auto journal = uuid_text(batch.journal);
  const auto from = static_cast<std::int64_t>(batch.from);
  const auto to = static_cast<std::int64_t>(batch.to);
  if (!session.exec(transaction, kAdvance, journal, from, to).empty()) return Advance::kMoved;
  auto found = session.exec(transaction, kCheckpoint, journal);
  if (found.empty()) {
    if (!session.exec(transaction, kBegin, journal, to).empty()) return Advance::kMoved;
    found = session.exec(transaction, kCheckpoint, journal);  // someone else made it meanwhile
  }
  const auto position = found[0][0].as<std::int64_t>();
  if (position >= to) return Advance::kBehindUs;
  throw StoreCorrupt("journal " + journal + " was committed up to " + std::to_string(position) +
                     ", the batch goes from " + std::to_string(from) + " to " + std::to_string(to));
}

void move_heads(PostgresSession& session, pqxx::work& transaction, const BatchPlan& plan) {
  const auto conv = plan.head_conv.text();
  const auto first = plan.head_first.text();
  const auto moved = session.exec(transaction, kHeads, conv, first, plan.head_last.text(), plan.head_time.text(),
                                  plan.sender_conv.text(), plan.sender_user.text(), plan.sender_seq.text());
  if (moved[0][0].as<std::int64_t>() == plan.conversations) return;
  const auto found = session.exec(transaction, kWrongHead, conv, first, std::string(moved[0][1].c_str()));
  const auto wrong = found[0];
  const auto id = std::to_string(wrong[0].as<std::int64_t>());
  if (wrong[2].is_null()) throw StoreCorrupt("the batch names conversation " + id + ", which is not there");
  throw StoreCorrupt("seq " + std::to_string(wrong[1].as<std::int64_t>()) + " of conversation " + id +
                     " comes behind " + std::to_string(wrong[2].as<std::int64_t>()));
}

// NULL for what is not there: it costs a bit, where an empty value costs its bytes.
class OptionalNumber {
 public:
  explicit OptionalNumber(std::int64_t value) {
    if (value != 0) *std::to_chars(digits_, digits_ + sizeof digits_ - 1, value).ptr = '\0';
  }
  const char* text() const { return digits_[0] == '\0' ? nullptr : digits_; }

 private:
  char digits_[24] = {};
};

void copy_messages(pqxx::work& transaction, const Batch& batch) {
  // payload stands first because libpqxx 6 copies what is behind a field once for each field before it.
  compat::CopyIn copy(transaction, "messages",
                      "payload,conv_id,seq,server_time,reply_to,ttl_s,mid,type,sender,id,mentions");
  for (const auto& message : batch.messages) {
    std::optional<std::string> mentions;
    if (!message.mentions.empty()) {
      ArrayText names;
      for (const auto& name : message.mentions) names.add(name);
      mentions = names.text();
    }
    copy.row(message.payload, message.conv_id, message.seq, message.server_time,
             OptionalNumber(message.reply_to).text(), OptionalNumber(message.ttl_s).text(), uuid_text(message.mid),
             static_cast<int>(message.type), message.sender, message.id.empty() ? nullptr : message.id.c_str(),
             mentions ? mentions->c_str() : nullptr);
  }
  copy.complete();
}

CommitResult commit_in(PostgresSession& session, pqxx::work& transaction, const Batch& batch, const BatchPlan& plan) {
  if (advance(session, transaction, batch) == Advance::kBehindUs) return CommitResult::kAlreadyApplied;
  if (!batch.messages.empty()) {
    move_heads(session, transaction, plan);
    copy_messages(transaction, batch);
    if (!plan.void_conv.empty()) {
      session.exec(transaction, kVoids, plan.void_conv.text(), plan.void_seq.text(), plan.void_at.text());
    }
  }
  if (!plan.cursor_conv.empty()) {
    session.exec(transaction, kReceipts, plan.reach_conv.text(), plan.reach_user.text(), plan.reach_delivered.text(),
                 plan.reach_read.text(), plan.reach_at.text(), batch.receipt_push_members);
    session.exec(transaction, kCursors, plan.cursor_user.text(), plan.cursor_device.text(), plan.cursor_conv.text(),
                 plan.cursor_delivered.text(), plan.cursor_rev.text(), plan.cursor_at.text(), plan.read_conv.text(),
                 plan.read_user.text(), plan.read_seq.text(), plan.read_at.text());
  }
  if (!batch.commands.empty()) {
    session.exec(transaction, kCommands, uuid_text(batch.journal), plan.command_position.text(),
                 plan.command_conv.text(), plan.command_operation.text(), plan.command_user.text(),
                 plan.command_device.text(), plan.command_time.text(), plan.command_payload.text());
  }
  if (!plan.notices.empty()) session.exec(transaction, kTellActivity, plan.notices.text());
  commit_or_doubt(session, transaction);
  return CommitResult::kApplied;
}

}  // namespace

void commit_or_doubt(PostgresSession& session, pqxx::work& transaction) {
  try {
    transaction.commit();
  } catch (const pqxx::in_doubt_error&) {
    throw StoreInDoubt("PostgreSQL: the connection was lost inside COMMIT");
  } catch (const std::exception& error) {
    if (!session.alive())
      throw StoreInDoubt("PostgreSQL: the connection was lost inside COMMIT: " + one_line(error.what()));
    throw;  // the server answered: it did not commit
  }
}

CommitResult commit_batch(PostgresSession& session, const Batch& batch, const BatchPlan& plan) {
  for (const TimeMs time : plan.months) session.ensure_month(time);
  try {
    pqxx::work transaction(session.connection());
    return commit_in(session, transaction, batch, plan);
  } catch (const pqxx::check_violation&) {
    session.forget_months();  // a month that was there was taken away; the next attempt makes it again
    throw StoreUnavailable("a month's partition was taken away while messages for it came in");
  } catch (const pqxx::data_exception& error) {
    throw StoreCorrupt("PostgreSQL does not take a value of the batch: " + one_line(error.what()));
  }
}

std::optional<Position> read_checkpoint(PostgresSession& session, const Uuid& journal) {
  pqxx::nontransaction transaction(session.connection());
  const auto found = session.exec(transaction, kCheckpoint, uuid_text(journal));
  if (found.empty()) return std::nullopt;
  return static_cast<Position>(found[0][0].as<std::int64_t>());
}

}  // namespace chat
