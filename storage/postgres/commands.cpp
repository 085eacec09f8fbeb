// Why a command is applied once, and in order: its row is locked first and deleted in the same transaction. A second
// bridge waits there, then finds it gone; a lost COMMIT either took the row along with all that the command did, or
// left all as it was.
//
// Then the conversation's row is locked, as by a commit and by a change of membership: that is what keeps `rev` without
// holes, and lets two commands on one message not meet. Behind it only the search index's mark is locked, by nobody who
// then waits for any of the others.
#include "storage/commands.h"

#include "storage/json_members.h"
#include "storage/message_event.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/commit.h"
#include "storage/postgres/conninfo.h"
#include "storage/postgres/failure.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/interrupter.h"
#include "storage/postgres/search_rows.h"
#include "storage/postgres/session.h"

namespace chat {
namespace {

constexpr Statement kWaiting{
    "waiting_commands",
    "SELECT q.id, c.name, q.position, q.conv_id, q.operation, q.user_name, q.device, q.server_time, q.payload "
    "FROM commands q LEFT JOIN conversations c ON c.id = q.conv_id ORDER BY q.id LIMIT $1"};

constexpr Statement kTake{"take_command", "SELECT 1 FROM commands WHERE id = $1 FOR UPDATE"};

constexpr Statement kLock{"lock_conversation",
                          "SELECT last_rev, greatest(changed_at, chat_now()) FROM conversations WHERE id = $1 "
                          "FOR NO KEY UPDATE"};

constexpr Statement kScene{"command_scene",
                           "SELECT m.role, m.join_seq, t.server_time, t.sender, t.payload, t.recalled_at, "
                           "t.recalled_rev FROM (SELECT 1) AS one "
                           "LEFT JOIN members m ON m.conv_id = $1 AND m.user_name = $3 "
                           "LEFT JOIN messages t ON t.conv_id = $1 AND t.seq = $2"};

constexpr Statement kEmojis{"own_reactions",
                            "SELECT emoji FROM reactions WHERE conv_id = $1 AND seq = $2 AND user_name = $3"};

// The second look is at all reactions of the message, and only for the first with its emoji.
constexpr Statement kOtherEmojis{
    "other_reactions",
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM reactions WHERE conv_id = $1 AND seq = $2 AND emoji = $3) THEN 0 "
    "ELSE (SELECT count(DISTINCT emoji) FROM reactions WHERE conv_id = $1 AND seq = $2) END"};

constexpr Statement kDone{"command_done", "DELETE FROM commands WHERE id = $1"};

constexpr Statement kEvent{"command_event",
                           "WITH counted AS (UPDATE conversations SET last_rev = $2, changed_at = $3 WHERE id = $1) "
                           "INSERT INTO events (conv_id, rev, server_time, payload) VALUES ($1, $2, $3, $4)"};

constexpr Statement kSay{"say", "INSERT INTO outgoing (user_name, leaf, payload) VALUES ($1, $2, $3)"};

constexpr Statement kKeep{
    "keep_recalled",
    "INSERT INTO recalled_messages (conv_id, seq, sender, payload, recalled_by, recalled_at) "
    "SELECT conv_id, seq, sender, payload, $4, $5 FROM messages WHERE conv_id = $1 AND seq = $2 AND server_time = $3"};

// The expiry goes as well: a tombstone stays one, whenever somebody asks for it.
constexpr Statement kRecall{
    "recall",
    "WITH voided AS (INSERT INTO voids (conv_id, first_seq, last_seq, void_at) VALUES ($1, $2, $2, $5) "
    "ON CONFLICT (conv_id, last_seq) DO UPDATE SET void_at = least(voids.void_at, excluded.void_at)), "
    "unliked AS (DELETE FROM reactions WHERE conv_id = $1 AND seq = $2) "
    "UPDATE messages SET payload = $4, recalled_at = $5, recalled_rev = $6, mentions = NULL, ttl_s = NULL "
    "WHERE conv_id = $1 AND seq = $2 AND server_time = $3"};

constexpr Statement kEdit{"edit",
                          "UPDATE messages SET payload = $4, edited_at = $5 "
                          "WHERE conv_id = $1 AND seq = $2 AND server_time = $3"};

constexpr Statement kReact{"react",
                           "INSERT INTO reactions (conv_id, seq, user_name, emoji, at) VALUES ($1, $2, $3, $4, $5) "
                           "ON CONFLICT DO NOTHING"};

constexpr Statement kUnreact{"unreact",
                             "DELETE FROM reactions WHERE conv_id = $1 AND seq = $2 AND user_name = $3 AND emoji = $4"};

constexpr Statement kRepeat{"repeat_event",
                            "INSERT INTO outgoing (user_name, leaf, payload) "
                            "SELECT $3, 'event', payload FROM events WHERE conv_id = $1 AND rev = $2"};

constexpr Statement kOutgoing{"outgoing",
                              "SELECT id, user_name, leaf, payload FROM outgoing WHERE id > $1 ORDER BY id LIMIT $2"};

constexpr Statement kForget{"forget_outgoing", "DELETE FROM outgoing WHERE id = ANY ($1::bigint[])"};

// One command in its transaction.
class Application {
 public:
  Application(PostgresSession& session, pqxx::work& transaction, const QueuedCommand& queued, Seq seq)
      : session_(session), transaction_(transaction), queued_(queued), command_(queued.command), seq_(seq) {}

  bool take() { return !exec(kTake, queued_.id).empty(); }

  CommandScene look() {
    CommandScene scene;
    const auto head = exec(kLock, command_.conv_id);
    if (head.empty()) throw StoreCorrupt("there is no conversation " + std::to_string(command_.conv_id));
    last_rev_ = number(head[0][0]);
    scene.now = now_ = number(head[0][1]);
    const auto found = exec(kScene, command_.conv_id, seq_, command_.user);
    const auto row = found[0];
    if (!row[0].is_null()) scene.role = static_cast<Role>(number(row[0]));
    scene.join_seq = number(row[1]);
    if (!row[2].is_null()) {
      sent_at_ = number(row[2]);
      recalled_rev_ = number(row[6]);
      sender_ = text(row[3]);
      scene.message = CommandTarget{sent_at_, sender_, text(row[4]), !row[5].is_null()};
    }
    if (command_.operation == "react") {
      for (const auto& own : exec(kEmojis, command_.conv_id, seq_, command_.user)) scene.emojis.push_back(text(own[0]));
      const auto emoji = json_text(command_.payload, "emoji").value_or("");
      if (emoji.find('\0') == std::string::npos) {  // which PostgreSQL can't be asked for
        scene.other_emojis = static_cast<std::size_t>(number(exec(kOtherEmojis, command_.conv_id, seq_, emoji)[0][0]));
      }
    }
    return scene;
  }

  void finish() { exec(kDone, queued_.id); }
  void say(std::string_view leaf, const std::string& payload) { exec(kSay, command_.user, std::string(leaf), payload); }

  void operator()(const LeaveUnchanged&) {}
  void operator()(const RecallMessage& recall) {
    if (recall.keep) exec(kKeep, command_.conv_id, seq_, sent_at_, command_.user, now_);
    exec(kRecall, command_.conv_id, seq_, sent_at_, tombstone(command_.user, now_), now_, last_rev_ + 1);
    rewrite({});
    tell({.kind = MessageEvent::Kind::kRecalled});
  }
  void operator()(const RepeatRecall&) { exec(kRepeat, command_.conv_id, recalled_rev_, command_.user); }
  void operator()(const EditMessage& edit) {
    exec(kEdit, command_.conv_id, seq_, sent_at_, edit.payload, now_);
    rewrite(edit.payload);
    tell({.kind = MessageEvent::Kind::kEdited, .body = edit.body});
  }
  void operator()(const SetReaction& reaction) {
    if (reaction.on) {
      exec(kReact, command_.conv_id, seq_, command_.user, reaction.emoji, now_);
    } else {
      exec(kUnreact, command_.conv_id, seq_, command_.user, reaction.emoji);
    }
    tell({.kind = MessageEvent::Kind::kReaction, .emoji = reaction.emoji, .on = reaction.on});
  }
  void operator()(const RefuseCommand&) {}  // apply() says it

 private:
  template <typename... Args>
  pqxx::result exec(const Statement& statement, const Args&... args) {
    return session_.exec(transaction_, statement, args...);
  }

  // The words by which the message is found, behind its own row: the indexer waits for us, or we find what it did.
  void rewrite(std::string_view payload) {
    rewrite_words(session_, transaction_, {command_.conv_id, seq_, sent_at_}, sender_, payload);
  }

  void tell(MessageEvent event) {
    event.conv = queued_.conv;
    event.rev = last_rev_ + 1;
    event.server_time = now_;
    event.seq = seq_;
    event.by = command_.user;
    exec(kEvent, command_.conv_id, event.rev, now_, message_event_payload(event));
  }

  PostgresSession& session_;
  pqxx::work& transaction_;
  const QueuedCommand& queued_;
  const StoredCommand& command_;
  const Seq seq_;
  Rev last_rev_ = 0;
  TimeMs now_ = 0;
  TimeMs sent_at_ = 0;
  std::string sender_;
  Rev recalled_rev_ = 0;
};

QueuedCommand command_of(const compat::Row& row) {
  QueuedCommand queued;
  queued.id = number(row[0]);
  queued.conv = text(row[1]);
  queued.command = {static_cast<Position>(number(row[2])),
                    number(row[3]),
                    text(row[4]),
                    text(row[5]),
                    text(row[6]),
                    number(row[7]),
                    text(row[8])};
  return queued;
}

class PostgresCommands : public CommandStore {
 public:
  explicit PostgresCommands(std::string conninfo) : conninfo_(std::move(conninfo)) {}
  ~PostgresCommands() override { drop(); }

  std::vector<QueuedCommand> waiting(int limit) override {
    std::vector<QueuedCommand> all;
    guarded([&](PostgresSession& session) {
      pqxx::nontransaction transaction(session.connection());
      for (const auto& row : session.exec(transaction, kWaiting, limit)) all.push_back(command_of(row));
    });
    return all;
  }

  bool apply(const QueuedCommand& command, Seq seq, const DecideCommand& decide,
             const std::function<std::string(const RefuseCommand&)>& error) override {
    bool applied = false;
    guarded([&](PostgresSession& session) {
      pqxx::work transaction(session.connection());
      Application application(session, transaction, command, seq);
      if (!application.take()) return;
      const auto effect = decide(application.look());
      std::visit(application, effect);
      if (const auto* refusal = std::get_if<RefuseCommand>(&effect)) application.say("error", error(*refusal));
      application.finish();
      commit_or_doubt(session, transaction);
      applied = true;
    });
    return applied;
  }

  std::vector<OutgoingRow> outgoing(std::int64_t above, int limit) override {
    std::vector<OutgoingRow> all;
    guarded([&](PostgresSession& session) {
      pqxx::nontransaction transaction(session.connection());
      for (const auto& row : session.exec(transaction, kOutgoing, above, limit)) {
        all.push_back({number(row[0]), text(row[1]), text(row[2]), text(row[3])});
      }
    });
    return all;
  }

  void forget(std::span<const std::int64_t> outgoing) override {
    ArrayText ids;
    for (const auto id : outgoing) ids.add(id);
    guarded([&](PostgresSession& session) {
      pqxx::nontransaction transaction(session.connection());
      session.exec(transaction, kForget, ids.text());
    });
  }

  void wait(std::chrono::milliseconds timeout) override {
    guarded([&](PostgresSession& session) {
      session.connection().await_notification(static_cast<long>(timeout.count() / 1000),
                                              static_cast<long>(timeout.count() % 1000 * 1000));
      if (!session.alive()) throw pqxx::broken_connection();
    });
  }

  void interrupt() noexcept override { interrupter_.trip(); }

 private:
  // A connection that listens from its first moment on: what was committed before, waiting() sees.
  template <typename Work>
  void guarded(Work work) {
    if (interrupter_.tripped()) throw StoreUnavailable("interrupted: the program is ending");
    try {
      if (!session_) {
        session_ = std::make_unique<PostgresSession>(conninfo_, PostgresSession::Schema::kCheck);
        interrupter_.watch(session_->socket());
        listener_ =
            std::make_unique<compat::Listener>(session_->connection(), "chat_commands", [](const std::string&) {});
      }
      work(*session_);
    } catch (const StoreInDoubt&) {
      drop();
      throw;
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
};

}  // namespace

std::unique_ptr<CommandStore> open_postgres_commands(const std::string& uri, std::string_view application_name) {
  return std::make_unique<PostgresCommands>(with_defaults(uri, application_name));
}

}  // namespace chat
