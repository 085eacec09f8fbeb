#include "storage/postgres/notice_feed.h"

#include <algorithm>
#include <utility>

#include "storage/errors.h"
#include "storage/postgres/failure.h"

namespace chat {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

void NoticeFeed::drop() noexcept {
  interrupter_.watch(-1);
  listener_.reset();
  session_.reset();
}

void NoticeFeed::listen() {
  session_ = std::make_unique<PostgresSession>(conninfo_, PostgresSession::Schema::kCheck);
  interrupter_.watch(session_->socket());
  listener_ = std::make_unique<compat::Listener>(session_->connection(), channel_,
                                                 [this](const std::string& notice) { notices_.push_back(notice); });
}

void NoticeFeed::collect(std::chrono::milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  do {
    const auto left = std::max(std::chrono::duration_cast<std::chrono::microseconds>(end - Clock::now()),
                               std::chrono::microseconds(0));
    session_->connection().await_notification(static_cast<long>(left.count() / 1'000'000),
                                              static_cast<long>(left.count() % 1'000'000));
    if (!session_->alive()) throw pqxx::broken_connection();
  } while (notices_.empty() && Clock::now() < end);
}

std::optional<std::vector<std::string>> NoticeFeed::wait(std::chrono::milliseconds timeout) {
  return take([&] { collect(timeout); });
}

std::optional<std::vector<std::string>> NoticeFeed::so_far() {
  return take([this] {
    pqxx::nontransaction(session_->connection()).exec("SELECT");
    session_->connection().get_notifs();
    if (!session_->alive()) throw pqxx::broken_connection();
  });
}

std::optional<std::vector<std::string>> NoticeFeed::take(const std::function<void()>& collect) {
  if (interrupter_.tripped()) throw StoreUnavailable("interrupted: the program is ending");
  try {
    if (!session_) {
      listen();
      notices_.clear();
      return std::nullopt;
    }
    collect();
  } catch (const StoreError&) {
    drop();
    throw;
  } catch (const std::exception&) {
    drop();
    throw_store_error();
  }
  return std::exchange(notices_, {});
}

}  // namespace chat
