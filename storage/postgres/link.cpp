#include "storage/postgres/link.h"

#include "storage/errors.h"
#include "storage/postgres/failure.h"

namespace chat {

void Link::drop() noexcept {
  interrupter_.watch(-1);  // before the number of the socket can belong to someone else
  session_.reset();
}

PostgresSession& Link::session() {
  if (interrupter_.tripped()) throw StoreUnavailable("interrupted: the program is ending");
  if (!session_) {
    session_ = std::make_unique<PostgresSession>(conninfo_, PostgresSession::Schema::kCheck);
    interrupter_.watch(session_->socket());
  }
  return *session_;
}

void Link::run_once_or_twice(const std::function<void(PostgresSession&)>& work) {
  bool again = open();
  for (;; again = false) {
    try {
      work(session());
      return;
    } catch (const StoreInDoubt&) {
      drop();
      throw;
    } catch (const StoreError&) {
      throw;  // the store's own answer: the session is in order
    } catch (const pqxx::in_doubt_error&) {
      drop();
      throw_store_error();  // never again by itself: it may have been done
    } catch (const std::exception&) {
      const bool lost = session_ && !session_->alive();
      drop();
      if (!lost || !again || interrupter_.tripped()) throw_store_error();
    }
  }
}

}  // namespace chat
