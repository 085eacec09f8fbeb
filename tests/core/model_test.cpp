// The whole core against a simple model. Goal: whatever happens in whatever order (sends, retries, acknowledgements,
// lost connections, a crash of the broker, a full journal, commits and answers that come late, conversations that are
// forgotten and loaded again, members who join), every device that goes on acknowledging ends with exactly every
// message and event that is its own, in order. Method: random steps; each publish to a device is checked as it is made;
// in the end all is brought to rest and compared with the store. CHAT_SEED replays a run.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "storage/stamped.h"
#include "tests/core/support/hub_rig.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

struct Place {
  Seq have = 0;         // received everything up to here
  Seq acked = 0;        // acknowledged, and the core took it: must not come again
  Seq claimed = 0;      // acknowledged, whatever became of that: may be stepped over
  Seq opening_seq = 0;  // the last one sent since the tap was opened; 0 = none
  bool got = false;     // anything at all
  Rev have_rev = -1;    // -1: starts wherever the store says
  Rev given_rev = -1;   // where the store put the device when it was first seen
  Rev acked_rev = 0;
  Rev claimed_rev = 0;
  Rev opening_rev = 0;
};

struct Device {
  std::string user;
  std::string name;
  bool automatic = false;
  std::optional<Phone> phone;
  std::deque<Received> arriving;  // the broker has it, the device not yet
  std::map<std::string, Place> places;
  std::vector<Received> outstanding;  // sent since the tap was opened and not acknowledged
};

struct Counts {
  int sent = 0;
  int refused_full = 0;
  int repeated = 0;
  int parked = 0;
  int crashes = 0;
  int pages = 0;
  int joined = 0;
};

class Model : public HubRig {
 public:
  Model(std::uint64_t seed, Counts* counts) : random_(seed), counts_(*counts) {
    options.outflow.window = static_cast<int>(1 + pick(12));
    options.cache_bytes = chance(50) ? 1 : 1 << 20;
    options.tail_bytes = 300 + pick(10'000);
    options.outflow.auto_rate = 1000;
    answers.page_messages = static_cast<int>(1 + pick(20));
    restart();
    for (int i = 0; i < 4; ++i) {
      convs_.push_back(group("alice", {"bob", "carol"}));
      for (const auto* user : {"alice", "bob", "carol"}) members_[convs_.back()].insert(user);
    }
    for (const auto* name : {"alice-1", "alice-2", "bob-1", "bob-2", "carol-1", "dave-1", "bob-lamp"}) {
      Device device;
      device.name = name;
      device.user = device.name.substr(0, device.name.find('-'));
      device.automatic = device.name == "bob-lamp";
      devices_.push_back(std::move(device));
    }
    store.set_device("bob", "bob-lamp", {.replay = {}, .replay_limit = {}, .ack = AckMode::kAuto});
  }

  void run(int steps) {
    for (int i = 0; i < steps && !HasFailure(); ++i) {
      step();
      look();
    }
    rest();
  }

 private:
  void TestBody() override {}

  std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random_() % below); }
  bool chance(std::size_t percent) { return pick(100) < percent; }
  Device& any_device() { return devices_[pick(devices_.size())]; }
  const std::string& any_conv() { return convs_[pick(convs_.size())]; }

  void step() {
    if (chance(2)) journal.answer_next(AppendResult::kFull, static_cast<int>(1 + pick(3)));
    const auto dice = pick(1000);
    if (dice < 200) return send_one();
    if (dice < 230) return send_again();
    if (dice < 400) return arrive(any_device(), 1 + pick(8));
    if (dice < 560) return acknowledge(any_device());
    if (dice < 600) return connect_one(any_device());
    if (dice < 615) return lose(any_device());
    if (dice < 630) return sync(any_device());
    if (dice < 730) return persist(1 + pick(6));
    if (dice < 860) return take(chance(50));
    if (dice < 940) return give(chance(50));
    if (dice < 955) return change();
    if (dice < 975) return hear_changes();
    if (dice < 997) return tick(static_cast<TimeMs>(pick(150)));
    crash();
  }

  void send_one() {
    Device& device = any_device();
    if (!device.phone || device.user == "dave") return;  // who joins late only listens
    const auto& conv = any_conv();
    const auto number = std::to_string(++number_);
    const auto payload = "{\"id\":\"m" + number + "\",\"body\":\"" + std::string(pick(40), 'x') + number + "\"}";
    publish_message(*device.phone, conv, payload, true);
  }

  void send_again() {
    if (accepted_.empty()) return;
    const auto& [user, conv, payload] =
        accepted_[accepted_.size() - 1 - pick(std::min<std::size_t>(accepted_.size(), 50))];
    for (auto& device : devices_) {
      if (device.user != user || !device.phone) continue;
      publish_message(*device.phone, conv, payload, false);
      ++counts_.repeated;
      return;
    }
  }

  void publish_message(const Phone& phone, const std::string& conv, const std::string& payload, bool fresh) {
    const auto parked = journal.all<ParkedRecord>().size();
    const auto verdict = publish(phone, "chat/c/" + conv + "/msg", payload, chance(20) ? 2 : 1);
    if (journal.all<ParkedRecord>().size() > parked) ++counts_.parked;
    if (verdict.kind == PublishVerdict::Kind::kRefuse) {
      ++counts_.refused_full;
      return;
    }
    if (!fresh) return;
    accepted_.emplace_back(phone.user, conv, payload);
    ++counts_.sent;
  }

  void arrive(Device& device, std::size_t count) {
    for (; count > 0 && !device.arriving.empty(); --count) {
      const auto one = device.arriving.front();
      device.arriving.pop_front();
      auto& place = device.places[one.conv];
      place.have = std::max(place.have, one.seq);
      place.got = true;
      if (one.rev > 0) place.have_rev = std::max(place.have_rev, one.rev);
    }
  }

  void acknowledge(Device& device) {
    if (!device.phone || device.automatic || device.places.empty()) return;
    auto at = device.places.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(pick(device.places.size())));
    auto& [conv, place] = *at;
    if (!place.got) return;
    const Seq seq = chance(70) ? place.have : static_cast<Seq>(pick(static_cast<std::size_t>(place.have) + 1));
    const Rev rev = std::max<Rev>(place.have_rev, 0);
    place.claimed = std::max(place.claimed, seq);
    place.claimed_rev = std::max(place.claimed_rev, rev);
    const auto before = journal.all<ParkedRecord>().size();
    const auto verdict = chance(50)
                             ? ack(*device.phone, conv, seq, rev)
                             : publish(*device.phone, "chat/ack",
                                       nlohmann::json{{"delivered", {{conv, {{"seq", seq}, {"rev", rev}}}}}}.dump());
    // Room is made in any case; that it does not come again is promised for what was taken and need not wait.
    std::erase_if(device.outstanding, [&, &name = conv](const Received& one) {
      return one.conv == name && (one.seq > 0 ? one.seq <= seq : one.rev <= rev);
    });
    if (verdict.kind == PublishVerdict::Kind::kRefuse || journal.all<ParkedRecord>().size() > before) return;
    place.acked = std::max(place.acked, seq);
    place.acked_rev = std::max(place.acked_rev, rev);
  }

  void forget_opening(Device& device) {
    device.outstanding.clear();
    for (auto& [conv, place] : device.places) place.opening_seq = place.opening_rev = 0;
  }

  void connect_one(Device& device) {
    if (device.phone && chance(70)) return;  // else the connection is taken over
    const auto old = device.phone;
    device.arriving.clear();
    forget_opening(device);
    device.phone = connect(device.user, device.name);
    subscribe(*device.phone, "chat/u/" + device.user + "/#");
    if (old) disconnect(*old);
  }

  void lose(Device& device) {
    if (!device.phone) return;
    disconnect(*device.phone);
    device.phone.reset();
    device.arriving.clear();
    forget_opening(device);
  }

  void sync(Device& device) {
    if (!device.phone) return;
    look();
    forget_opening(device);
    publish(*device.phone, "chat/sync", "{}");
  }

  // The two reader threads: each answers in order, at its own pace, and what it read may be old when it arrives.
  void take(bool pager) {
    const auto ready = std::find_if(requests.waiting.begin(), requests.waiting.end(), [&](const Request& request) {
      return std::holds_alternative<ReadPage>(request.body) == pager && request.barrier <= committed();
    });
    if (ready == requests.waiting.end()) return;
    const auto request = std::move(*ready);
    requests.waiting.erase(ready);
    if (pager) ++counts_.pages;
    auto notice = answer(store, answers, request.body, clock.now());
    if (const auto* opened = std::get_if<DeviceOpened>(&notice)) note_first_seen(*opened);
    under_way_[pager ? 1 : 0].push_back(std::move(notice));
  }
  // A device starts with the events that there are when it is first seen; what was live just then may come all the
  // same.
  void note_first_seen(const DeviceOpened& opened) {
    if (!opened.opening.first_seen) return;
    for (auto& device : devices_) {
      if (device.name != opened.device) continue;
      for (const auto& conv : convs_) {
        const auto cursor = store.cursor(device.user, device.name, conv);
        if (cursor) device.places[conv].given_rev = cursor->second;
      }
    }
  }
  void give(bool pager) {
    auto& notices = under_way_[pager ? 1 : 0];
    if (notices.empty()) return;
    auto notice = std::move(notices.front());
    notices.pop_front();
    hub->notice(std::move(notice));
  }

  void change() {
    const auto& conv = any_conv();
    if (!members_[conv].contains("dave") && chance(30)) {
      store.add_member(conv, "dave", Role::kMember, "alice", clock.now());
      members_[conv].insert("dave");
      ++counts_.joined;
      const auto state = *store.find_conversation(conv);
      for (auto& device : devices_) {
        if (device.user == "dave") device.places[conv].have = state.last_seq;
      }
      return;
    }
    const auto state = *store.find_conversation(conv);
    const auto& bob =
        *std::find_if(state.members.begin(), state.members.end(), [](const Member& m) { return m.user == "bob"; });
    store.add_member(conv, "bob", bob.role == Role::kAdmin ? Role::kMember : Role::kAdmin, "alice", clock.now());
  }

  void crash() {
    for (auto& device : devices_) {
      device.phone.reset();
      device.arriving.clear();
      forget_opening(device);
    }
    for (auto& notices : under_way_) notices.clear();
    restart();
    ++counts_.crashes;
  }

  // Looks at what was published since the last look.
  void look() {
    for (; looked_ < broker.published.size(); ++looked_) {
      const auto& published = broker.published[looked_];
      if (published.device.empty()) {
        if (published.topic.ends_with("/error")) check_error(published);
        continue;
      }
      auto& device = *std::find_if(devices_.begin(), devices_.end(),
                                   [&](const Device& one) { return one.name == published.device; });
      ASSERT_TRUE(device.phone) << "published to a device that is not here: " << published.payload;
      const auto inbox = "chat/u/" + device.user + "/inbox";
      if (published.topic != inbox && published.topic != "chat/u/" + device.user + "/event") continue;
      const auto parsed = nlohmann::json::parse(published.payload);
      check(device, {.conv = parsed.at("conv"),
                     .seq = published.topic == inbox ? parsed.at("seq").get<Seq>() : 0,
                     .rev = published.topic == inbox ? 0 : parsed.at("rev").get<Rev>(),
                     .payload = published.payload});
    }
    if (looked_ > 10'000) {
      forget();
      looked_ = 0;
    }
  }

  void check_error(const Published& published) {
    const auto error = nlohmann::json::parse(published.payload);
    // Who just joined may be given something by the store before this broker has heard of it.
    const bool joining = error.at("code") == "not_member" && published.topic == "chat/u/dave/error";
    EXPECT_TRUE(joining || error.at("code") == "storage_full") << published.payload;
  }

  void check(Device& device, const Received& one) {
    auto& place = device.places[one.conv];
    const auto what = device.name + " was sent " + one.payload;
    EXPECT_TRUE(members_[one.conv].contains(device.user)) << what;
    if (one.seq > 0) {
      if (place.opening_seq > 0) {
        EXPECT_GT(one.seq, place.opening_seq) << what;
        EXPECT_LE(one.seq, std::max(place.opening_seq, place.claimed) + 1) << what << ": some were left out";
      } else {
        EXPECT_LE(one.seq, place.have + 1) << what << ": some were left out";
      }
      EXPECT_GT(one.seq, place.acked) << what << ": was acknowledged";
      place.opening_seq = one.seq;
      const auto [known, fresh] = bytes_.try_emplace({one.conv, one.seq}, one.payload);
      EXPECT_EQ(known->second, one.payload) << "the same seq with other bytes";
    } else {
      if (place.opening_rev > 0) {
        EXPECT_GT(one.rev, place.opening_rev) << what;
        EXPECT_LE(one.rev, std::max(place.opening_rev, place.claimed_rev) + 1) << what << ": some were left out";
      } else if (place.have_rev >= 0) {
        EXPECT_LE(one.rev, std::max(place.have_rev, place.given_rev) + 1) << what << ": some were left out";
      }
      EXPECT_GT(one.rev, place.acked_rev) << what << ": was acknowledged";
      place.opening_rev = one.rev;
    }
    device.arriving.push_back(one);
    if (device.automatic) {
      arrive(device, 1);
      return;
    }
    device.outstanding.push_back(one);
    // An acknowledgement that waited for its conversation may count behind a new opening.
    const auto open = std::count_if(device.outstanding.begin(), device.outstanding.end(), [&](const Received& sent) {
      const auto& at = device.places[sent.conv];
      return sent.seq > 0 ? sent.seq > at.claimed : sent.rev > at.claimed_rev;
    });
    EXPECT_LE(open, options.outflow.window) << what;
  }

  bool at_rest() {
    for (const auto& device : devices_) {
      if (!device.arriving.empty() || !device.outstanding.empty()) return false;
    }
    return requests.waiting.empty() && under_way_[0].empty() && under_way_[1].empty() && journal.end() == committed() &&
           hub->parked_floor() == Parking::kNothingParked;
  }

  std::string what_is_left() {
    std::string left = std::to_string(requests.waiting.size()) + " requests, " +
                       std::to_string(journal.end() - committed()) + " bytes of the journal, parked floor " +
                       std::to_string(hub->parked_floor());
    for (const auto& device : devices_) {
      left += "; " + device.name + " " + std::to_string(device.arriving.size()) + " arriving";
      for (const auto& one : device.outstanding)
        left += ", unacknowledged " + one.conv + " " + std::to_string(one.seq) + "/" + std::to_string(one.rev);
    }
    return left;
  }

  // Everybody comes, everything works, and after a while there is nothing left to do.
  void rest() {
    for (auto& device : devices_) {
      if (!device.phone) connect_one(device);
    }
    int calm = 0;
    for (int i = 0; i < 20'000 && calm < 12 && !HasFailure(); ++i) {
      persist();
      hear_changes();
      for (const bool pager : {false, true}) {
        take(pager);
        give(pager);
      }
      tick(100);
      look();
      for (auto& device : devices_) {
        arrive(device, 1000);
        for (std::size_t n = 0; n < device.places.size(); ++n) acknowledge_all(device);
        look();
      }
      calm = at_rest() ? calm + 1 : 0;
    }
    EXPECT_TRUE(at_rest()) << "there is no end to it: " << what_is_left();
    compare();
  }

  void acknowledge_all(Device& device) {
    if (device.automatic) return;
    for (auto& [conv, place] : device.places) {
      const auto open = std::any_of(device.outstanding.begin(), device.outstanding.end(),
                                    [&, name = &conv](const Received& one) { return one.conv == *name; });
      if (!open) continue;
      place.claimed = std::max(place.claimed, place.have);
      place.claimed_rev = std::max(place.claimed_rev, place.have_rev);
      ack(*device.phone, conv, place.have, std::max<Rev>(place.have_rev, 0));
      std::erase_if(device.outstanding, [&, name = &conv, at = &place](const Received& one) {
        return one.conv == *name && (one.seq > 0 ? one.seq <= at->have : one.rev <= at->have_rev);
      });
    }
  }

  void compare() {
    std::map<std::string, std::size_t> expected;
    for (const auto& [user, conv, payload] : accepted_) ++expected[conv];
    for (const auto& conv : convs_) {
      const auto kept = store.messages(conv);
      EXPECT_EQ(kept.size(), expected[conv]) << conv << ": every accepted message is stored, once";
      for (std::size_t i = 0; i < kept.size(); ++i) {
        ASSERT_EQ(kept[i].seq, static_cast<Seq>(i + 1)) << conv;
        const auto sent = bytes_.find({conv, kept[i].seq});
        ASSERT_TRUE(sent != bytes_.end()) << conv << " " << kept[i].seq << " reached nobody";
        EXPECT_EQ(sent->second,
                  stamped(conv, kept[i].seq, kept[i].server_time, kept[i].sender, kept[i].mid, kept[i].payload));
      }
      const auto state = *store.find_conversation(conv);
      for (auto& device : devices_) {
        if (!members_[conv].contains(device.user)) continue;
        EXPECT_EQ(device.places[conv].have, state.last_seq) << device.name << " in " << conv;
        const auto cursor = store.cursor(device.user, device.name, conv);
        if (device.places[conv].have_rev != state.last_rev) {
          EXPECT_TRUE(cursor && cursor->second >= state.last_rev) << device.name << " misses events of " << conv;
        }
      }
    }
  }

  std::mt19937_64 random_;
  Counts& counts_;
  std::vector<std::string> convs_;
  std::map<std::string, std::set<std::string, std::less<>>> members_;
  std::vector<Device> devices_;
  std::vector<std::tuple<std::string, std::string, std::string>> accepted_;  // user, conversation, payload
  std::map<std::pair<std::string, Seq>, std::string> bytes_;
  std::array<std::deque<Notice>, 2> under_way_;
  std::size_t looked_ = 0;
  int number_ = 0;
};

TEST(CoreModel, EveryDeviceEndsWithEveryMessageOnceAcknowledgedInOrder) {
  auto seeds = generator("core model");
  Counts counts;
  for (int run = 0; run < 100; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    Model(seeds(), &counts).run(1500);
    if (testing::Test::HasFailure()) break;
  }
  // What was not tried was not tested.
  EXPECT_GT(counts.sent, 1000);
  EXPECT_GT(counts.refused_full, 20);
  EXPECT_GT(counts.repeated, 100);
  EXPECT_GT(counts.parked, 100);
  EXPECT_GT(counts.crashes, 20);
  EXPECT_GT(counts.pages, 100);
  EXPECT_GT(counts.joined, 20);
}

}  // namespace
}  // namespace chat::test
