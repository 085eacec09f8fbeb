#include "plugin/reader/reader.h"
#include "storage/backoff.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace chat {
namespace {

// More would save little: what a commit costs is shared by this many already. And others wait meanwhile.
constexpr std::ptrdiff_t kLoadsTogether = 64;

bool is_load(const Request& request) {
  return std::holds_alternative<LoadConversation>(request.body);
}

}  // namespace

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

// The first request whose barrier is reached, and the loads behind it where it is one. Barriers rise in the order of
// sending, but for those that are 0. Empty: it is to stop.
std::vector<Request> Reader::next() {
  std::unique_lock lock(mutex_);
  auto ready = requests_.end();
  const auto reached = [this](const Request& request) { return progress_.reached(request.barrier); };
  changed_.wait(lock, [&] {
    ready = std::find_if(requests_.begin(), requests_.end(), reached);
    return worker_.stopping() || ready != requests_.end();
  });
  if (worker_.stopping()) return {};
  auto end = ready + 1;
  if (alone_ > 0) {
    --alone_;
  } else if (is_load(*ready)) {
    const auto most = ready + std::min<std::ptrdiff_t>(kLoadsTogether, requests_.end() - ready);
    end = std::find_if_not(ready, most, [&](const Request& request) { return is_load(request) && reached(request); });
  }
  std::vector<Request> requests(std::make_move_iterator(ready), std::make_move_iterator(end));
  requests_.erase(ready, end);
  return requests;
}

void Reader::run() {
  auto backoff = postgres_backoff();
  for (auto requests = next(); !requests.empty(); requests = next()) {
    const auto served = serve(requests);
    if (served == Served::kAnswered) {
      backoff.reset();
      continue;
    }
    give_back(std::move(requests), served);
    worker_.sleep(backoff.next());
  }
}

void Reader::give_back(std::vector<Request> requests, Served served) {
  const std::lock_guard lock(mutex_);
  // The order is kept: a device is opened behind the load that makes its user. But should it be one request alone that
  // can't be answered, the others still are.
  const bool to_the_end = served == Served::kFailed && requests.size() == 1;
  if (served == Served::kFailed && !to_the_end) alone_ = requests.size();
  requests_.insert(to_the_end ? requests_.end() : requests_.begin(), std::make_move_iterator(requests.begin()),
                   std::make_move_iterator(requests.end()));
}

void Reader::answer_all(const std::vector<Request>& requests) {
  if (requests.size() == 1) {
    mailbox_.post(answer(*store_, options_, requests.front().body, clock_.now()));
    return;
  }
  std::vector<LoadConversation> loads;
  loads.reserve(requests.size());
  for (const auto& request : requests) loads.push_back(std::get<LoadConversation>(request.body));
  for (auto& notice : answer_loads(*store_, options_, loads)) mailbox_.post(std::move(notice));
}

Reader::Served Reader::serve(const std::vector<Request>& requests) {
  try {
    answer_all(requests);
    health_.back();
    return Served::kAnswered;
  } catch (const StoreUnavailable& unavailable) {
    health_.away(unavailable.what());
    return Served::kAway;
  } catch (const StoreRefused& refused) {
    if (requests.size() > 1) return Served::kFailed;
    if (const auto* open = std::get_if<OpenDevice>(&requests.front().body)) {
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
