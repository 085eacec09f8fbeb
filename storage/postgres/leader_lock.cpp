#include "storage/leader_lock.h"

#include "storage/postgres/conninfo.h"
#include "storage/postgres/failure.h"
#include "storage/postgres/interrupter.h"
#include "storage/postgres/session.h"

namespace chat {
namespace {

// The limits make the server end a connection whose machine fell silent after about 4 s, so that another bridge gets
// the lock; on a Unix socket they mean nothing and do no harm.
constexpr const char* kKeepalive =
    "SET tcp_keepalives_idle = 1;"
    "SET tcp_keepalives_interval = 1;"
    "SET tcp_keepalives_count = 3;"
    "SET tcp_user_timeout = 4000;"
    "SET statement_timeout = '5s'";

constexpr Statement kTake{"take_lock", "SELECT pg_try_advisory_lock(hashtext('mosquitto-chat'), hashtext('bridge'))"};
constexpr Statement kAlive{"alive", "SELECT 1"};

class PostgresLeaderLock : public LeaderLock {
 public:
  explicit PostgresLeaderLock(std::string conninfo) : conninfo_(std::move(conninfo)) {}
  ~PostgresLeaderLock() override { drop(); }

  bool take() override {
    return guarded([&] {
      if (!session_) connect();
      pqxx::nontransaction transaction(session_->connection());
      return session_->exec(transaction, kTake)[0][0].as<bool>();
    });
  }

  void watch(std::chrono::milliseconds timeout) override {
    guarded([&] {
      if (!session_) throw StoreUnavailable("PostgreSQL: the connection was lost");
      session_->connection().await_notification(static_cast<long>(timeout.count() / 1000),
                                                static_cast<long>(timeout.count() % 1000 * 1000));
      if (!session_->alive()) throw pqxx::broken_connection();
      pqxx::nontransaction transaction(session_->connection());
      session_->exec(transaction, kAlive);
      return true;
    });
  }

  void interrupt() noexcept override { interrupter_.trip(); }

 private:
  template <typename Work>
  bool guarded(Work work) {
    if (interrupter_.tripped()) throw StoreUnavailable("interrupted: the program is ending");
    try {
      return work();
    } catch (const StoreError&) {
      drop();
      throw;
    } catch (const std::exception&) {
      drop();
      throw_store_error();
    }
  }

  void connect() {
    session_ = std::make_unique<PostgresSession>(conninfo_, PostgresSession::Schema::kCheck);
    interrupter_.watch(session_->socket());
    pqxx::nontransaction transaction(session_->connection());
    transaction.exec(kKeepalive);
  }

  void drop() noexcept {
    interrupter_.watch(-1);
    session_.reset();
  }

  const std::string conninfo_;
  Interrupter interrupter_;
  std::unique_ptr<PostgresSession> session_;
};

}  // namespace

std::unique_ptr<LeaderLock> open_postgres_leader_lock(const std::string& uri, std::string_view application_name) {
  return std::make_unique<PostgresLeaderLock>(with_defaults(uri, application_name));
}

}  // namespace chat
