// What the broker's thread pays for one message in our own code: both access questions, admit, stamp, journal, and what
// is handed to the broker. The broker is one that takes everything and does nothing, so a figure here is what comes on
// top of a bare broker's work, but for the larger packets.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "plugin/core/hub.h"
#include "plugin/journal/file.h"
#include "plugin/reader/answers.h"
#include "storage/memory/memory_store.h"

namespace {

using namespace chat;

class DeafBroker : public Broker {
 public:
  void publish_to(const Recipient&, std::string, Bytes payload, int) override { bytes += payload.size(); }
  void publish(const std::string&, std::string_view payload, int) override { bytes += payload.size(); }
  void kick(const std::string&) override {}
  int subscriptions(const void*) override { return 1; }
  bool keeps_session(const void*) override { return false; }
  void log(LogLevel, const std::string&) override {}
  std::size_t bytes = 0;
};

class KeptRequests : public Requests {
 public:
  void send(Request request) override { requests.push_back(std::move(request)); }
  void hurry() override {}
  std::deque<Request> requests;
};

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "core_bench_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

// A conversation of two; one sends, the other reads the conversation's own topic, or its inbox.
class Chat {
 public:
  Chat() {
    JournalOptions options;
    options.folder = folder_.path + "/journal";
    options.sync = JournalOptions::Sync::kNever;
    options.bytes_max = 8ULL << 30;
    JournalError error;
    journal_ = Journal::open(options, posix_file_system(), &error);
    if (!journal_) std::abort();
    for (const auto* name : {"alice", "bob"}) store_.add_user(name);
    const std::vector<std::string> members{"bob"};
    conv_ = store_.create_group("", "alice", members, system_clock().now());
    answers_.seq_source = {.journal = journal_->id(), .losses = journal_->losses()};
    HubOptions hub;
    hub.seqs_at_risk_max = std::numeric_limits<Seq>::max() / 2;  // nothing is stored here, and nobody sees the numbers
    hub_ = std::make_unique<Hub>(hub, system_clock(), broker_, requests_, *journal_);
    topic_ = "chat/c/" + conv_ + "/msg";
    hub_->may_subscribe(bob_, topic_, 1);
    send();
    while (!requests_.requests.empty()) {
      const auto request = std::move(requests_.requests.front());
      requests_.requests.pop_front();
      hub_->notice(answer(store_, answers_, request.body, system_clock().now()));
    }
  }

  void send() {
    payload_ = R"({"id":"bench-)" + std::to_string(++count_) + R"(","body":")" + body_ + "\"}";
    hub_->may_write(alice_, topic_);
    auto verdict = hub_->published(alice_, topic_, payload_, 1);
    if (!verdict.payload) {  // the first waits for its conversation; a refusal would be measured as a fast message
      if (count_ > 1) std::abort();
      return;
    }
    const bool read = hub_->may_read(bob_, topic_, *verdict.payload) == Access::kGranted;
    if (!read) std::abort();
    if (count_ % 100'000 == 0) journal_->trim(journal_->end());
  }

 private:
  Folder folder_;
  MemoryStore store_;
  DeafBroker broker_;
  KeptRequests requests_;
  AnswerOptions answers_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Hub> hub_;
  std::string conv_;
  std::string topic_;
  std::string payload_;
  std::string body_ = std::string(72, 'x');
  std::uint64_t count_ = 0;
  ClientRef alice_{.handle = &folder_, .device = "alice-phone", .user = "alice"};
  ClientRef bob_{.handle = &store_, .device = "bob-phone", .user = "bob"};
};

void BM_MessageOnAConversationsTopic(benchmark::State& state) {
  Chat chat;
  for (auto _ : state) chat.send();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_MessageOnAConversationsTopic);

}  // namespace

BENCHMARK_MAIN();
