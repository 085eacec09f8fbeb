// Guarantee 5: once the broker has heard of a recall, no device is handed the text, wherever it lay: in the tail, in a
// page that waits for room in the device's window, in a page that was asked for before and comes after.
#include <map>
#include <random>
#include <set>

#include "plugin/core/tail.h"
#include "storage/stamped.h"
#include "tests/core/support/hub_rig.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

class Recall : public HubRig {
 protected:
  void SetUp() override {
    options.outflow.window = 3;
    start();
  }

  void start() {
    restart();
    conv_ = group("alice", {"bob"});
    alice_ = connect("alice", "a1");
  }

  void send_up_to(Seq last) {
    for (Seq seq = store.find_conversation(conv_)->last_seq; seq < last; ++seq)
      send(alice_, conv_, "text" + std::to_string(seq + 1));
    settle();
  }

  TimeMs later() {
    clock.pass(1);
    return clock.now();
  }
  Rewriting recalled(Seq seq) { return {.seq = seq, .recalled = true, .by = "alice", .at = later(), .body = {}}; }
  Rewriting edited(Seq seq, const std::string& body) {
    return {.seq = seq, .recalled = false, .by = "alice", .at = later(), .body = nlohmann::json(body).dump()};
  }

  void until_a_page_is_asked_for() {
    while (!requests.waiting.empty() && !std::holds_alternative<ReadPage>(requests.waiting.front().body)) answer_one();
    ASSERT_FALSE(requests.waiting.empty());
  }

  // Reads everything, three at a time.
  void read_on(const Phone& phone) {
    for (std::size_t before = 0; before != received(phone).size();) {
      before = received(phone).size();
      Seq seq = 0;
      Rev rev = 0;
      for (const auto& one : received(phone)) {
        seq = std::max(seq, one.seq);
        rev = std::max(rev, one.rev);
      }
      ack(phone, conv_, seq, rev);
      settle();
    }
  }

  std::vector<std::string> given(const Phone& phone, Seq seq) const {
    std::vector<std::string> payloads;
    for (const auto& one : received(phone)) {
      if (one.seq == seq) payloads.push_back(one.payload);
    }
    return payloads;
  }

  // What the store makes of it: what a device that asks from now on is given.
  std::vector<std::string> in_store(Seq seq) const {
    const auto message = store.messages(conv_).at(static_cast<std::size_t>(seq - 1));
    return {stamped(conv_, seq, message.server_time, message.sender, message.mid, message.payload)};
  }

  std::string conv_;
  Phone alice_;
};

TEST_F(Recall, TheTailHoldsTheTombstoneThatTheStoreHolds) {
  const auto bob = online("bob", "b1");
  send_up_to(10);
  EXPECT_EQ(seqs(bob, conv_), (std::vector<Seq>{1, 2, 3}));
  store.rewrite(conv_, recalled(8));
  settle();
  read_on(bob);
  EXPECT_EQ(seqs(bob, conv_), (std::vector<Seq>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(given(bob, 8), in_store(8));
  EXPECT_NE(given(bob, 8)[0].find(R"("recalled":true,"by":"alice","at":)"), std::string::npos) << given(bob, 8)[0];
  EXPECT_EQ(revs(bob, conv_), (std::vector<Rev>{2})) << "and the event tells of it";
}

TEST_F(Recall, APageThatWaitsHoldsTheTombstone) {
  send_up_to(10);
  restart();
  const auto bob = online("bob", "b1");
  EXPECT_EQ(seqs(bob, conv_), (std::vector<Seq>{1, 2, 3}));
  alice_ = connect("alice", "a1");
  send_up_to(11);  // the conversation is in memory, but for the first ten messages
  store.rewrite(conv_, recalled(8));
  settle();
  read_on(bob);
  EXPECT_EQ(seqs(bob, conv_), (std::vector<Seq>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(given(bob, 8), in_store(8));
}

TEST_F(Recall, APageThatWasReadBeforeAndComesAfterHoldsTheTombstone) {
  send_up_to(10);
  restart();
  alice_ = connect("alice", "a1");
  send_up_to(11);
  const auto bob = connect("bob", "b1");
  subscribe(bob, "chat/u/bob/#");
  until_a_page_is_asked_for();
  auto page = take_answer();
  ASSERT_TRUE(page && std::holds_alternative<PageRead>(*page));
  store.rewrite(conv_, recalled(2));
  store.rewrite(conv_, edited(3, "better"));
  hear_changes();
  while (answer_one()) {
  }
  EXPECT_TRUE(seqs(bob, conv_).empty());
  hub->notice(*std::move(page));
  read_on(bob);
  EXPECT_EQ(given(bob, 2), in_store(2));
  EXPECT_EQ(given(bob, 3), in_store(3));
  EXPECT_EQ(seqs(bob, conv_), (std::vector<Seq>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
}

// A page is read from the store, which may know of a recall before the word of it has come: whoever is told by the page
// is told that nobody gets the text any more.
TEST_F(Recall, WhatAPageTellsOfReachesTheTailAndWhatOthersWaitFor) {
  auto first = online("bob", "b2");
  send_up_to(6);
  read_on(first);
  restart();
  const auto late = online("bob", "b1");  // its page waits, with what is in no tail
  alice_ = connect("alice", "a1");
  send_up_to(10);
  store.rewrite(conv_, recalled(5));
  store.rewrite(conv_, recalled(8));
  first = connect("bob", "b2");
  subscribe(first, "chat/u/bob/event");
  while (answer_one()) {
  }
  ASSERT_EQ(revs(first, conv_), (std::vector<Rev>{2, 3})) << "it was told, and the broker has not heard of it";
  read_on(late);
  EXPECT_EQ(given(late, 5), in_store(5));
  EXPECT_EQ(given(late, 8), in_store(8));
  EXPECT_EQ(seqs(late, conv_), (std::vector<Seq>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

// Of a conversation that is not in memory nobody says which message it was: all of it is read again.
TEST_F(Recall, PagesOfAForgottenConversationAreReadAnew) {
  options.cache_bytes = 1;
  start();
  const auto other = group("alice", {"carol"});
  send_up_to(10);
  for (const bool on_its_way : {false, true}) {
    const auto bob = connect("bob", on_its_way ? "b1" : "b2");
    subscribe(bob, "chat/u/bob/#");
    until_a_page_is_asked_for();
    std::optional<Notice> page;
    if (on_its_way) page = take_answer();
    if (!on_its_way) settle();
    send(alice_, other, "pushes the conversation out");
    settle();
    const Seq seq = on_its_way ? 2 : 8;
    store.rewrite(conv_, recalled(seq));
    hear_changes();
    if (page) hub->notice(*std::move(page));
    settle();
    read_on(bob);
    EXPECT_EQ(given(bob, seq), in_store(seq)) << bob.device;
    EXPECT_EQ(seqs(bob, conv_).size(), 10U) << bob.device;
    disconnect(bob);
  }
}

// What was changed while the broker could not hear of it is not known: pages are read again.
TEST_F(Recall, PagesAreReadAnewWhenTheFeedWasLost) {
  send_up_to(10);
  restart();
  const auto bob = online("bob", "b1");
  store.rewrite(conv_, recalled(8));
  store.wait(std::chrono::milliseconds(0));  // nobody hears of it
  hub->notice(Changed{{Change{Change::Kind::kEverything, {}, {}}}});
  settle();
  read_on(bob);
  EXPECT_EQ(given(bob, 8), in_store(8));
  EXPECT_EQ(revs(bob, conv_), (std::vector<Rev>{2}));
}

TEST_F(Recall, ALateDeviceGetsTheEditedText) {
  const auto bob = online("bob", "b1");
  send_up_to(10);
  store.rewrite(conv_, edited(8, "much better"));
  store.rewrite(conv_, edited(8, "best \"of\" all"));
  store.rewrite(conv_, edited(9, "gone soon"));
  store.rewrite(conv_, recalled(9));
  settle();
  read_on(bob);
  for (const Seq seq : {8, 9}) EXPECT_EQ(given(bob, seq), in_store(seq));
  EXPECT_EQ(nlohmann::json::parse(given(bob, 8).at(0)).at("body"), "best \"of\" all");
  EXPECT_EQ(revs(bob, conv_), (std::vector<Rev>{2, 3, 4, 5}));
}

TEST_F(Recall, ARetryOfWhatWasRecalledOrEditedIsStillTheSameMessage) {
  const auto topic = "chat/c/" + conv_ + "/msg";
  for (const char* id : {"r1", "r2", "r3"})
    publish(alice_, topic, nlohmann::json{{"id", id}, {"body", "first"}}.dump());
  settle();
  store.rewrite(conv_, recalled(1));
  store.rewrite(conv_, edited(2, "second"));
  settle();
  const auto bob = online("bob", "b1");
  read_on(bob);
  for (const bool forgotten : {false, true}) {
    if (forgotten) {
      restart();
      alice_ = connect("alice", "a1");
      settle();
    }
    forget();
    for (const char* id : {"r1", "r2", "r3"})
      EXPECT_FALSE(publish(alice_, topic, nlohmann::json{{"id", id}, {"body", "first"}}.dump()).payload);
    settle();
    EXPECT_TRUE(error_codes("alice").empty());
    EXPECT_EQ(told("alice", "ack").size(), 3U);
    EXPECT_TRUE(seqs(bob, conv_).empty());
    publish(alice_, topic, nlohmann::json{{"id", "r3"}, {"body", "other"}}.dump());
    settle();
    EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"id_conflict"});
  }
  EXPECT_EQ(store.messages(conv_).size(), 3U);
}

TEST_F(Recall, NoSubscriberOfTheConversationsTopicGetsTheTextBehindIt) {
  const auto bob = online("bob", "b1");
  const auto topic = "chat/c/" + conv_ + "/msg";
  ASSERT_TRUE(subscribe(bob, topic));
  send_up_to(1);
  const std::string hello = R"({"id":"q","body":"hello"})";
  const auto first = publish(alice_, topic, hello, 2);
  settle();
  store.rewrite(conv_, recalled(2));
  settle();
  EXPECT_EQ(hub->may_read(bob.ref(), topic, *first.payload), Access::kRefused);
  const auto duplicate = publish(alice_, topic, hello, 2);
  ASSERT_TRUE(duplicate.payload);
  EXPECT_EQ(std::vector<std::string>{std::string(*duplicate.payload)}, in_store(2));
}

TEST_F(Recall, ManyChangesOfOneConversationAreReadTogether) {
  send_up_to(100);
  for (Seq seq = 1; seq <= 100; ++seq) {
    store.rewrite(conv_, recalled(seq));
    hear_changes();
  }
  EXPECT_EQ(requests.waiting.size(), 1U);
  ASSERT_TRUE(answer_one());
  EXPECT_EQ(requests.waiting.size(), 1U) << "the first may have read before the last";
}

TEST(TailBytes, AnEditThatGrowsCounts) {
  constexpr std::size_t kMost = 20'000;
  Tail tail(kMost);
  const auto conversation = std::make_shared<Conversation>();
  const auto bytes = [](std::size_t size) { return Bytes(std::string(size, 'x')); };
  const auto push = [&](std::size_t size) {
    tail.push(*conversation, size, [size](char* to) { return std::fill_n(to, size, 'x'); });
  };
  for (int i = 0; i < 40; ++i) {
    ++conversation->last_seq;
    push(10);
  }
  const auto before = tail.bytes();
  tail.replace(*conversation, 40, bytes(1000));
  EXPECT_EQ(conversation->tail.back().size(), 1000U);
  EXPECT_EQ(tail.bytes(), before + 1000) << "the ten bytes stay in their block";
  tail.replace(*conversation, 40, bytes(1200));
  EXPECT_EQ(tail.bytes(), before + 1200);
  tail.replace(*conversation, 40, bytes(1));
  EXPECT_EQ(tail.bytes(), before + 1200);
  for (Seq seq = 1; seq <= 40; ++seq) {
    tail.replace(*conversation, seq, bytes(1000));
    EXPECT_LE(tail.bytes(), kMost);
  }
  std::size_t held = 0;
  for (const auto& one : conversation->tail) held += one.size();
  EXPECT_LE(held, kMost);
  ++conversation->last_seq;
  push(7);
  EXPECT_EQ(conversation->in_tail(41)->size(), 7U);
  EXPECT_EQ(conversation->in_tail(1), nullptr);
}

// Everything in any order: two conversations of which one fits into memory, devices that come, acknowledge and go,
// commits, answers that are held back, changes heard late. From the moment in which the core was told of a recall, no
// device is given the text; in the end each has had every message.
TEST_F(Recall, InWhateverOrderThingsHappenTheTextGoesToNobodyOnceItIsHeardOf) {
  auto chance = generator("recalls");
  const auto pick = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(chance); };
  constexpr int kRecalls = 100;
  constexpr int kHandedBefore = 5;
  int recalls = 0;
  int handed_before = 0;
  // Chance decides how much of what is looked for happens: it goes on until there was enough.
  const auto enough = [&] { return recalls > kRecalls && handed_before > kHandedBefore; };
  for (int round = 0; round < 25 || (!enough() && round < 250); ++round) {
    options.cache_bytes = pick(0, 1) == 0 ? 1 : 1U << 20;
    options.tail_bytes = pick(0, 1) == 0 ? 2000 : 1U << 20;
    restart();
    const std::vector<std::string> readers{"reader" + std::to_string(round), "other" + std::to_string(round)};
    for (const auto& reader : readers) store.add_user(reader);
    const std::vector<std::string> convs{group("alice", readers), group("alice", readers)};
    alice_ = connect("alice", "a" + std::to_string(round));
    std::vector<Phone> phones;
    std::vector<Notice> held;
    std::map<std::string, std::size_t> heard;  // text → number of publishes when the core had heard of its recall
    int count = 0;
    const auto deliver = [&](Notice notice) {
      std::vector<std::string> texts;
      const auto note = [&](const std::string& conv, std::string_view event) {
        if (const auto one = rewriting_of(event)) texts.push_back(conv + "#" + std::to_string(one->seq) + "#");
      };
      if (const auto* loaded = std::get_if<ConversationLoaded>(&notice)) {
        for (const auto& event : loaded->events) note(loaded->name, event.payload);
      } else if (const auto* events = std::get_if<EventsLoaded>(&notice)) {
        for (const auto& event : events->events) note(events->name, event.payload);
      } else if (const auto* page = std::get_if<PageRead>(&notice); page != nullptr && options.cache_bytes > 1) {
        // Where conversations come and go, nobody knows whether a page is news.
        for (const auto& item : page->items) {
          if (item.rev > 0) note(item.conv, *item.bytes);
        }
      }
      const auto before = broker.published.size();
      for (auto& text : texts) heard.try_emplace(std::move(text), before);
      hub->notice(std::move(notice));
    };
    // What each has and has not said yet; false: there was nothing.
    std::map<std::string, std::pair<Seq, Rev>> said;
    const auto acknowledge_all = [&] {
      bool any = false;
      for (const auto& phone : phones) {
        for (const auto& conv : convs) {
          const auto had = seqs(phone, conv);
          const auto revs_had = revs(phone, conv);
          const std::pair<Seq, Rev> all{had.empty() ? 0 : had.back(), revs_had.empty() ? 0 : revs_had.back()};
          if (std::exchange(said[phone.device + conv], all) == all) continue;
          ack(phone, conv, all.first, all.second);
          any = true;
        }
      }
      return any;
    };
    for (int step = 0; step < 150; ++step) {
      const auto& conv = convs[static_cast<std::size_t>(pick(0, 1))];
      switch (pick(0, 9)) {
        case 0:
        case 1:
          publish(alice_, "chat/c/" + conv + "/msg",
                  nlohmann::json{{"body", conv + " " + std::to_string(++count)}}.dump());
          break;
        case 2:
          persist(static_cast<std::size_t>(pick(1, 5)));
          break;
        case 3:
        case 4:
          if (auto notice = take_answer()) {
            if (pick(0, 2) == 0) {
              held.push_back(*std::move(notice));
            } else {
              deliver(*std::move(notice));
            }
          }
          break;
        case 5:
          if (!held.empty()) {
            deliver(std::move(held.back()));
            held.pop_back();
          }
          break;
        case 6: {
          const auto stored = store.messages(conv);
          if (stored.empty()) break;
          auto at = static_cast<std::size_t>(pick(0, static_cast<int>(stored.size()) - 1));
          if (!phones.empty()) {  // rather one that was handed over: of those there are few
            const auto had = seqs(phones[static_cast<std::size_t>(pick(0, static_cast<int>(phones.size()) - 1))], conv);
            const auto seq = had.empty() ? 0 : had[static_cast<std::size_t>(pick(0, static_cast<int>(had.size()) - 1))];
            if (seq > 0 && seq <= static_cast<Seq>(stored.size())) at = static_cast<std::size_t>(seq) - 1;
          }
          const auto& message = stored[at];
          if (message.payload.find("recalled") != std::string::npos) break;
          store.rewrite(conv, {.seq = message.seq, .recalled = true, .by = "alice", .at = clock.now(), .body = {}});
          ++recalls;
          break;
        }
        case 7:
          hear_changes();
          break;
        case 8:
          if (phones.size() < 3) {
            const auto& user = readers[static_cast<std::size_t>(pick(0, 1))];
            phones.push_back(connect(user, "p" + std::to_string(round) + "-" + std::to_string(step)));
            subscribe(phones.back(), "chat/u/" + user + "/#");
          }
          break;
        default:
          acknowledge_all();
      }
    }
    for (auto& notice : held) deliver(std::move(notice));
    for (bool more = true; more;) {
      persist();
      hear_changes();
      while (auto notice = take_answer()) deliver(*std::move(notice));
      more = acknowledge_all();
      more = more || journal.end() != committed() || !requests.waiting.empty();
    }
    for (std::size_t i = 0; i < broker.published.size(); ++i) {
      const auto& published = broker.published[i];
      if (published.device.empty() || published.topic.find("/inbox") == std::string::npos) continue;
      const auto message = nlohmann::json::parse(published.payload);
      const auto key = message.at("conv").get<std::string>() + "#" + std::to_string(message.at("seq").get<Seq>()) + "#";
      const auto found = heard.find(key);
      if (found == heard.end() || !message.contains("body")) continue;
      ++handed_before;
      ASSERT_LT(i, found->second) << "round " << round << ": " << published.payload;
    }
    for (const auto& phone : phones) {
      for (const auto& each : convs) {
        std::set<Seq> had;
        for (const auto seq : seqs(phone, each)) had.insert(seq);
        ASSERT_EQ(had.size(), store.messages(each).size())
            << "round " << round << ", " << phone.device << " of " << phone.user << ", " << each << " "
            << nlohmann::json(syncs(phone)).dump() << " " << nlohmann::json(error_codes(phone.user)).dump();
      }
    }
    forget();
  }
  EXPECT_GT(recalls, kRecalls);
  EXPECT_GT(handed_before, kHandedBefore) << "some were handed over in time: the test looks at the right thing";
}

}  // namespace
}  // namespace chat::test
