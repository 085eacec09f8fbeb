#include "plugin/reader/reader.h"
#include "storage/backoff.h"

#include <algorithm>
#include <utility>

namespace chat {

Reader::Reader(std::string name, const AnswerOptions& options, std::unique_ptr<Store> store, const Clock& clock,
               Mailbox& mailbox, Health& health, Progress& progress)
    : name_(std::move(name)),
      options_(options),
      store_(std::move(store)),
      clock_(clock),
      mailbox_(mailbox),
      health_(health),
      progress_(progress) {}

Reader::~Reader() {
  stop();
}

void Reader::start() {
  worker_.start(name_, [this] { run(); });
}

void Reader::stop() {
  worker_.stop([this] {
    store_->interrupt();
    progressed();
  });
}

void Reader::send(Request request) {
  const bool waits = !progress_.reached(request.barrier);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
  }
  changed_.notify_one();
  if (waits) progress_.hurry();
}

void Reader::progressed() {
  { const std::lock_guard lock(mutex_); }  // so that next() is either before its test or in its wait
  changed_.notify_one();
}

// The first request whose barrier is reached. Barriers rise in the order of sending, but for those that are 0.
std::optional<Request> Reader::next() {
  std::unique_lock lock(mutex_);
  auto ready = requests_.end();
  changed_.wait(lock, [&] {
    ready = std::find_if(requests_.begin(), requests_.end(),
                         [this](const Request& request) { return progress_.reached(request.barrier); });
    return worker_.stopping() || ready != requests_.end();
  });
  if (worker_.stopping()) return std::nullopt;
  auto request = std::move(*ready);
  requests_.erase(ready);
  return request;
}

void Reader::run() {
  auto backoff = postgres_backoff();
  while (auto request = next()) {
    const auto served = serve(*request);
    if (served == Served::kAnswered) {
      backoff.reset();
      continue;
    }
    give_back(std::move(*request), served);
    worker_.sleep(backoff.next());
  }
}

void Reader::give_back(Request request, Served served) {
  const std::lock_guard lock(mutex_);
  if (served == Served::kAway) {
    requests_.push_front(
        std::move(request));  // the order is kept: a device is opened behind the load that makes its user
  } else {
    requests_.push_back(
        std::move(request));  // should it be this one request that can't be answered, the others still are
  }
}

Reader::Served Reader::serve(const Request& request) {
  try {
    mailbox_.post(answer(*store_, options_, request.body, clock_.now()));
    health_.back();
    return Served::kAnswered;
  } catch (const StoreUnavailable& unavailable) {
    health_.away(unavailable.what());
    return Served::kAway;
  } catch (const StoreRefused& refused) {
    if (const auto* open = std::get_if<OpenDevice>(&request.body)) {
      mailbox_.post(DeviceRefused{.device = open->device, .generation = open->generation, .reason = refused.what()});
    } else {
      mailbox_.post(LogLine{LogLevel::kError, std::string("PostgreSQL refused a request: ") + refused.what()});
    }
    return Served::kAnswered;
  } catch (const std::exception& error) {
    mailbox_.post(
        LogLine{LogLevel::kError, std::string("A request to PostgreSQL failed, and is tried again: ") + error.what()});
  }
  return Served::kFailed;
}

}  // namespace chat
