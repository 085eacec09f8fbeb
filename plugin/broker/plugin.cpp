#include "plugin/broker/plugin.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "plugin/broker/time_slice.h"

namespace chat {

// Long reads have a thread of their own, so that nobody's log-in waits behind somebody's catch-up.
class Plugin::RequestRouter : public Requests {
 public:
  explicit RequestRouter(const std::unique_ptr<Reader>& loader, const std::unique_ptr<Reader>& pager,
                         Progress& progress)
      : loader_(loader), pager_(pager), progress_(progress) {}
  void send(Request request) override {
    (std::holds_alternative<ReadPage>(request.body) ? pager_ : loader_)->send(std::move(request));
  }
  void hurry() override { progress_.hurry(); }

 private:
  const std::unique_ptr<Reader>& loader_;
  const std::unique_ptr<Reader>& pager_;
  Progress& progress_;
};

namespace {

// With journal_sync always the broker's thread itself syncs what the journal's thread looks after; beside the disk's
// time for that, nothing else counts.
Aside::Descriptors descriptors_aside(const JournalOptions& journal) {
  return journal.sync == JournalOptions::Sync::kAlways ? Aside::Descriptors::kShared : Aside::Descriptors::kOwn;
}

}  // namespace

Plugin::Plugin(const Options& options)
    : options_(options),
      parts_(chosen_parts()),
      broker_(parts_.make_broker()),
      aside_(descriptors_aside(options.journal)) {
  options_.journal.aside = [this](const std::function<void()>& work) { aside_.run(work); };
}

std::unique_ptr<Plugin> Plugin::start(const Options& options, std::string* why) {
  std::unique_ptr<Plugin> plugin(new Plugin(options));
  auto& self = *plugin;
  if (options.auth.keys.kind != KeySource::Kind::kNone) {
    self.authenticator_ = std::make_unique<Authenticator>(options.auth, system_clock(), *self.broker_);
    *why = self.authenticator_->open();
    if (!why->empty()) return nullptr;
  }
  JournalError error;
  self.journal_ = Journal::open(self.options_.journal, posix_file_system(), &error);
  if (!self.journal_) {
    *why = error.what;
    return nullptr;
  }
  const auto& uri = options.postgres_uri;
  const auto& clock = system_clock();
  auto answers = options.answers;
  answers.seq_source = {.journal = self.journal_->id(), .losses = self.journal_->losses()};
  self.loader_ = std::make_unique<Reader>("chat-loader", answers, self.parts_.open_store(uri, "mosquitto-chat loader"),
                                          clock, self.mailbox_, self.health_, self.progress_);
  self.pager_ = std::make_unique<Reader>("chat-pager", answers, self.parts_.open_store(uri, "mosquitto-chat pager"),
                                         clock, self.mailbox_, self.health_, self.progress_);
  self.changes_ = std::make_unique<ChangeListener>(self.parts_.open_store(uri, "mosquitto-chat changes"), self.mailbox_,
                                                   self.health_);
  self.requests_ = std::make_unique<RequestRouter>(self.loader_, self.pager_, self.progress_);
  self.hub_ = std::make_unique<Hub>(options.hub, clock, *self.broker_, *self.requests_, *self.journal_);
  self.persister_ = std::make_unique<Persister>(
      options.persister, *self.journal_, self.parts_.open_store(uri, "mosquitto-chat persister"), self.mailbox_,
      self.health_, self.progress_, [hub = self.hub_.get()] { return hub->parked_floor(); });
  self.progress_.on_advance([&self] {
    self.loader_->progressed();
    self.pager_->progressed();
  });
  self.mailbox_.on_post([&self] { self.wake_.ring(); });
  self.recover();
  self.aside_.run([&self] {
    self.wake_.start();
    self.persister_->start();
    self.loader_->start();
    self.pager_->start();
    self.changes_->start();
  });
  take_short_turns();  // behind the threads, which would inherit it
  return plugin;
}

Plugin::~Plugin() {
  aside_.run([this] {
    // Those that others wait for end last; each stop() joins. What is not committed by now is in the journal.
    if (changes_) changes_->stop();
    if (pager_) pager_->stop();
    if (loader_) loader_->stop();
    if (persister_) persister_->stop();
    wake_.stop();
    // Here, for their connections.
    changes_.reset();
    pager_.reset();
    loader_.reset();
    persister_.reset();
  });
}

void Plugin::tick() {
  if (!mailbox_.empty()) {
    for (auto& notice : mailbox_.take()) hub_->notice(std::move(notice));
  }
  hub_->tick();
  if (authenticator_) {
    authenticator_->tick(
        [this](const ExpiryBook::Connection& ended) { return !hub_->taken_over(ended.handle, ended.device); });
  }
  broker_->deliver(
      [this](const std::string& device, std::uint64_t generation) { return hub_->is_session(device, generation); });
  wake_.ticked();
}

void Plugin::rang() {
  const auto end = journal_->end();
  if (end == rung_) return;
  rung_ = end;
  persister_->ring();
}

// What was parked when the last run ended, and not resolved, is parked again.
void Plugin::recover() {
  std::unordered_map<Position, ParkedRecord> waiting;
  std::vector<Position> order;
  const auto reader = journal_->read(journal_->begin());
  Record record;
  Position position = 0;
  while (true) {
    const auto result = reader->next(&record, &position);
    if (result == JournalReader::Result::kEnd) break;
    if (result == JournalReader::Result::kCorrupt) {
      broker_->log(LogLevel::kError, "The journal is damaged, what could be read is kept: " + reader->error());
      continue;
    }
    if (auto* parked = std::get_if<ParkedRecord>(&record)) {
      waiting.emplace(position, std::move(*parked));
      order.push_back(position);
      continue;
    }
    const auto resolved = std::visit(
        [](const auto& other) -> Position {
          if constexpr (requires { other.resolves; }) {
            return other.resolves;
          } else {
            return 0;
          }
        },
        record);
    if (resolved != 0) waiting.erase(resolved);
  }
  std::vector<std::pair<Position, ParkedRecord>> parked;
  for (const auto at : order) {
    if (auto found = waiting.find(at); found != waiting.end()) parked.emplace_back(at, std::move(found->second));
  }
  if (journal_->cut_bytes() > 0) {
    broker_->log(LogLevel::kWarning,
                 "The journal's last record was torn by a crash: " + std::to_string(journal_->cut_bytes()) +
                     " bytes that nobody had been acknowledged were cut off and kept beside it");
  }
  if (journal_->may_have_lost()) {
    broker_->log(
        LogLevel::kWarning,
        "The machine went down without closing the journal, and journal_sync was not \"always\" (or the "
        "journal's state file is missing): acknowledged messages that PostgreSQL did not have yet may be gone. "
        "Their numbers are not given again: each conversation goes on " +
            std::to_string(kSeqJump) + " higher when it is first used");
  }
  if (!parked.empty())
    broker_->log(LogLevel::kInfo,
                 std::to_string(parked.size()) + " publishes waited for the database, and go on waiting");
  hub_->recover(std::move(parked));
}

}  // namespace chat
