#include "plugin/reader/change_listener.h"
#include "storage/backoff.h"

#include <chrono>
#include <string>
#include <utility>

namespace chat {
namespace {

constexpr std::chrono::milliseconds kListen{1000};  // how long one wait lasts; a change ends it at once

}  // namespace

ChangeListener::ChangeListener(std::unique_ptr<Store> store, Mailbox& mailbox, Health& health)
    : store_(std::move(store)), mailbox_(mailbox), health_(health) {}

ChangeListener::~ChangeListener() {
  stop();
}

void ChangeListener::start() {
  worker_.start("chat-changes", [this] { run(); });
}

void ChangeListener::stop() {
  worker_.stop([this] { store_->interrupt(); });
}

void ChangeListener::run() {
  auto backoff = postgres_backoff();
  while (!worker_.stopping()) {
    try {
      auto changes = store_->wait(kListen);
      if (!changes.empty()) mailbox_.post(Changed{std::move(changes)});
      health_.back();
      backoff.reset();
      continue;
    } catch (const StoreUnavailable& unavailable) {
      health_.away(unavailable.what());
    } catch (const std::exception& error) {
      mailbox_.post(
          LogLine{LogLevel::kError, std::string("Changes can't be listened for, trying again: ") + error.what()});
    }
    worker_.sleep(backoff.next());
  }
}

}  // namespace chat
