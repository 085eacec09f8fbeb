// Goal: whatever dies and whenever, no number of a conversation is ever seen with two different messages.
// Method: the whole core on a real FileJournal whose disk drops what was not synced, over the in-memory store. Random
// sends, syncs, commits, kills of the broker and power cuts; everything that anybody was shown (inboxes, the
// conversation's own topic) is remembered by conversation and seq, for good, and compared. How many numbers were in
// danger is held against the bound at every power cut, too. CHAT_SEED replays a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "plugin/core/hub.h"
#include "plugin/persister/batch_maker.h"
#include "plugin/reader/answers.h"
#include "storage/memory/memory_store.h"
#include "storage/stamped.h"
#include "tests/core/support/fakes.h"
#include "tests/journal/fault_file_system.h"
#include "tests/journal/records.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

constexpr Seq kBound = 12;

struct Tally {
  int sent = 0;
  int refused = 0;
  int kills = 0;
  int power_cuts = 0;
  int seen_and_lost = 0;
};

class World {
 public:
  World(std::uint64_t seed, Tally* tally) : random_(seed), tally_(*tally) {
    for (const auto* name : kUsers) store_.add_user(name);
    for (int i = 0; i < 3; ++i) convs_.push_back(store_.create_group("", "alice", kMembers, clock_.now()));
    convs_.emplace_back("dm:alice:bob");
    hub_options_.cache_bytes = random_() % 2 == 0 ? 1 : 1 << 20;
    hub_options_.seqs_at_risk_max = kBound;
    hub_options_.outflow.window = 1000;
    hub_options_.tail_bytes = 4000;
    journal_options_.segment_bytes = 800 + random_() % 4000;
    if (random_() % 2 == 0) disk_.prepare_behind_each_append(1 + random_() % 2000);
    start();
  }

  void step() {
    const auto dice = random_() % 1000;
    if (dice < 550) return send();
    if (dice < 620) return connect();
    if (dice < 720) return answer_one();
    if (dice < 810) return persist(1 + random_() % 6);
    if (dice < 860) return sync();
    if (dice < 940) return acknowledge();
    if (dice < 980) return tick();
    if (dice < 990) return die(false);
    die(true);
  }

  void rest() {
    ASSERT_EQ(journal_->sync_now(), 0);
    for (int i = 0; i < 200; ++i) {
      persist(SIZE_MAX);
      answer_one();
      tick();
    }
    for (const auto& conv : convs_) {
      for (const auto& m : store_.messages(conv)) {
        show(conv, stamped(conv, m.seq, m.server_time, m.sender, m.mid, m.payload));
      }
    }
  }

 private:
  struct Here {
    std::string user;
    std::string device;
    std::map<std::string, Seq> got;
  };

  ClientRef ref(const Here& here) { return {.handle = &here, .device = here.device, .user = here.user}; }

  void start() {
    journal_ = open_journal(journal_options_, disk_);
    answers_.seq_source = {.journal = journal_->id(), .losses = journal_->losses()};
    hub_ = std::make_unique<Hub>(hub_options_, clock_, broker_, requests_, *journal_);
    std::map<Position, ParkedRecord> parked;
    for (const auto& [position, record] : read_all(*journal_, journal_->begin()).records) {
      if (const auto* one = std::get_if<ParkedRecord>(&record)) parked.emplace(position, *one);
      const auto resolves = std::visit(
          [](const auto& kept) -> Position {
            if constexpr (requires { kept.resolves; }) return kept.resolves;
            return 0;
          },
          record);
      parked.erase(resolves);
    }
    hub_->recover({parked.begin(), parked.end()});
    committed_ = store_.checkpoint(journal_->id()).value_or(journal_->begin());
    for (const auto* user : kUsers) here_.push_back({.user = user, .device = std::string(user) + "-1", .got = {}});
    for (auto& here : here_) hub_->may_subscribe(ref(here), "chat/u/" + here.user + "/#", 1);
    look();
  }

  void send() {
    auto& here = here_[random_() % here_.size()];
    const auto& conv = convs_[random_() % convs_.size()];
    if (conv.starts_with("dm:") && here.user == "carol") return;
    const auto number = std::to_string(++number_);
    const auto topic = "chat/c/" + conv + "/msg";
    const auto payload = "{\"id\":\"m" + number + "\",\"body\":\"" + number + "\"}";
    hub_->may_write(ref(here), topic);
    const auto verdict = hub_->published(ref(here), topic, payload, 1);
    if (verdict.kind == PublishVerdict::Kind::kRefuse) ++tally_.refused;
    if (verdict.kind == PublishVerdict::Kind::kReplace && verdict.payload) show(conv, std::string(*verdict.payload));
    ++tally_.sent;
    look();
  }

  void connect() {
    auto& here = here_[random_() % here_.size()];
    hub_->disconnected(&here, here.device);
    hub_->may_subscribe(ref(here), "chat/u/" + here.user + "/#", 1);
    look();
  }

  void acknowledge() {
    auto& here = here_[random_() % here_.size()];
    for (const auto& [conv, seq] : here.got) {
      const auto topic = "chat/c/" + conv + "/delivered";
      hub_->may_write(ref(here), topic);
      hub_->published(ref(here), topic, "{\"seq\":" + std::to_string(seq) + "}", 1);
    }
    look();
  }

  void answer_one() {
    const auto ready = std::find_if(requests_.waiting.begin(), requests_.waiting.end(),
                                    [this](const Request& request) { return request.barrier <= committed_; });
    if (ready == requests_.waiting.end()) return;
    const auto request = std::move(*ready);
    requests_.waiting.erase(ready);
    hub_->notice(answer(store_, answers_, request.body, clock_.now()));
    look();
  }

  void persist(std::size_t records) {
    const auto from = store_.checkpoint(journal_->id()).value_or(journal_->begin());
    BatchMaker maker(journal_->id(), from);
    const auto reader = journal_->read(from);
    while (maker.records() < records) {
      Record record;
      Position position = 0;
      const auto result = reader->next(&record, &position);
      if (result == JournalReader::Result::kEnd) break;
      if (result == JournalReader::Result::kRecord) maker.add(std::move(record), position);
    }
    maker.reach(reader->position());
    if (maker.batch().to == maker.batch().from) return;
    ASSERT_NO_THROW(store_.commit(maker.batch()));
    committed_ = maker.batch().to;
    hub_->notice(maker.committed());
    journal_->trim(std::min(committed_, hub_->parked_floor()));
    look();
  }

  void sync() { ASSERT_EQ(journal_->sync_now(), 0); }

  void tick() {
    clock_.pass(static_cast<TimeMs>(random_() % 200));
    hub_->tick();
    look();
  }

  void die(bool power) {
    if (power) {
      disk_.power_cut(random_);
      ++tally_.power_cuts;
    } else {
      disk_.kill();
      ++tally_.kills;
    }
    hub_.reset();
    journal_.reset();
    here_.clear();
    requests_.waiting.clear();
    disk_.start();
    if (power) change_boot(disk_);
    start();
    if (power) check_bound();
  }

  // Numbers that were shown and are gone lie within the bound above what PostgreSQL has once it has all that survived:
  // what the jump relies on.
  void check_bound() {
    persist(SIZE_MAX);
    for (const auto& conv : convs_) {
      const auto state = store_.find_conversation(conv);
      const auto last = state ? state->last_seq : 0;
      ASSERT_LE(highest_[conv], last + kBound) << conv;
      tally_.seen_and_lost += highest_[conv] > last ? 1 : 0;
    }
  }

  void look() {
    for (const auto& published : broker_.published) {
      const auto here = std::find_if(here_.begin(), here_.end(), [&](const Here& one) {
        return one.device == published.device && published.topic == "chat/u/" + one.user + "/inbox";
      });
      std::string_view conv;
      Seq seq = 0;
      if (!read_stamp(published.payload, &conv, &seq)) continue;
      if (here != here_.end()) {
        auto& got = here->got[std::string(conv)];
        got = std::max(got, seq);
      }
      show(std::string(conv), published.payload);
    }
    broker_.published.clear();
  }

  void show(const std::string& conv, const std::string& bytes) {
    std::string_view named;
    Seq seq = 0;
    ASSERT_TRUE(read_stamp(bytes, &named, &seq));
    const auto [known, fresh] = shown_.try_emplace({conv, seq}, bytes);
    ASSERT_EQ(known->second, bytes) << "the same number with another message";
    highest_[conv] = std::max(highest_[conv], seq);
  }

  static constexpr const char* kUsers[] = {"alice", "bob", "carol"};
  static inline const std::vector<std::string> kMembers{"bob", "carol"};

  std::mt19937_64 random_;
  Tally& tally_;
  FakeClock clock_;
  FakeBroker broker_;
  FakeRequests requests_;
  FaultFileSystem disk_;
  MemoryStore store_;
  JournalOptions journal_options_ = small_options();
  HubOptions hub_options_;
  AnswerOptions answers_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Hub> hub_;
  std::deque<Here> here_;
  std::vector<std::string> convs_;
  Position committed_ = 0;
  int number_ = 0;
  std::map<std::pair<std::string, Seq>, std::string> shown_;  // over all lives
  std::map<std::string, Seq> highest_;
};

TEST(PowerCutModel, NoNumberIsEverSeenWithTwoMessages) {
  auto seeds = generator("power cut model");
  Tally tally;
  for (int run = 0; run < 60; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    World world(seeds(), &tally);
    for (int i = 0; i < 1500 && !testing::Test::HasFailure(); ++i) world.step();
    if (!testing::Test::HasFailure()) world.rest();
    if (testing::Test::HasFailure()) break;
  }
  if (testing::Test::HasFailure()) return;
  // What was not tried was not tested.
  EXPECT_GT(tally.sent, 10'000);
  EXPECT_GT(tally.refused, 100);
  EXPECT_GT(tally.kills, 100);
  EXPECT_GT(tally.power_cuts, 100);
  EXPECT_GT(tally.seen_and_lost, 100);
}

}  // namespace
}  // namespace chat::test
