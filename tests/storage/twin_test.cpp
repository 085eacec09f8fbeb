// Goal: the PostgreSQL store answers what the plainest possible store answers.
//
// Method: both get the same random operations, good and bad ones alike, from a small world in which names, devices and
// seqs meet often; after each, what they answered (or the error they threw) must be the same. What each is free to
// choose itself, the names of groups and the database's keys, is replaced by the group's number before comparing. Now
// and then the backend under the PostgreSQL store is killed, which nobody may notice. CHAT_SEED repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "storage/memory/memory_store.h"
#include "tests/storage/private_postgres.h"
#include "tests/storage/twin_pair.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

constexpr int kOperations = 3000;

class RandomOperations {
 public:
  RandomOperations(TwinPair& pair, std::mt19937_64 chance) : pair_(pair), chance_(chance) {
    pair_.commit("the journal's first batch", last_);
  }

  // How many conversations went on higher behind a loss.
  int jumped() const {
    int count = 0;
    for (int which = 0; which < pair_.groups(); ++which) count += pair_.last_seq(which) >= kSeqJump ? 1 : 0;
    return count;
  }

  // One operation on both; answers what differed, or nothing.
  std::string step() {
    switch (number(0, 22)) {
      case 0:
        return add_user();
      case 1:
        return load_user();
      case 2:
        return create_group();
      case 3:
        return load_conversation();
      case 4:
        return add_member();
      case 5:
        return remove_member();
      case 6:
        return set_device();
      case 7:
        return lists();
      case 8:
      case 9:
        return open_device();
      case 10:
      case 11:
        return messages_above();
      case 12:
        return events_above();
      case 13:
        return commit_nonsense();
      case 14:
        return set_contact();
      case 15:
        return owed_in();
      case 16:
        return load_several();
      default:
        return commit();
    }
  }

 private:
  int number(int from, int to) { return std::uniform_int_distribution<int>(from, to)(chance_); }
  bool one_in(int n) { return number(1, n) == 1; }
  template <typename List>
  auto pick(const List& list) {
    return list[static_cast<std::size_t>(number(0, static_cast<int>(std::size(list)) - 1))];
  }

  std::string user() { return one_in(15) ? "not valid" : pick(kUsers); }
  std::string device() { return one_in(25) ? "" : pick(kDevices); }
  int group() { return number(0, pair_.groups()); }  // one of them does not exist

  std::string add_user() {
    const auto name = user();
    return pair_.both("add_user " + name, [&](Side& side) {
      side.store.add_user(name);
      return std::string("added");
    });
  }

  std::string load_user() {
    const auto name = user();
    const int limit = number(0, 12);
    const bool create = one_in(2);
    return pair_.both("load_user " + name,
                      [&](Side& side) { return side.text(side.store.load_user(name, limit, create)); });
  }

  std::string create_group() {
    if (pair_.groups() > 15 && !one_in(20)) return commit();  // the same few are to meet often
    const auto owner = user();
    std::vector<std::string> members;
    for (int i = number(0, 4); i > 0; --i) members.push_back(user());
    const std::string title = one_in(20) ? std::string(300, 't') : "title " + std::to_string(now_);
    return pair_.create_group(title, owner, members, now_);
  }

  std::string load_conversation() {
    if (one_in(2)) {
      const auto one = user();
      // Of the few users there are, most pairs have theirs before long: half of the time it is with nobody.
      const auto other = one_in(2) ? "nobody-" + std::to_string(++nobodies_) : user();
      if (!valid_user_name(one) || !valid_user_name(other)) return "";
      if (one_in(2)) return pair_.conversation(direct_name(one, other), std::nullopt);
      return pair_.conversation(direct_name(one, other), LoadTerms{.source = source(), .contacts_only = one_in(3)});
    }
    const int which = group();
    const LoadTerms asking{.source = source()};
    return pair_.both("load group " + std::to_string(which),
                      [&](Side& side) { return side.text(side.store.load_conversation(side.name(which), asking)); });
  }

  // Some of them twice, some that are not there, some that are made.
  std::string load_several() {
    std::vector<std::string> wanted;
    for (int i = number(0, 6); i > 0; --i) {
      const auto one = pick(kUsers);
      const auto other = one_in(3) ? "nobody" : pick(kUsers);
      wanted.push_back(one_in(3) && one != other ? direct_name(one, other) : "#" + std::to_string(group()));
    }
    return pair_.conversations(wanted, {.source = source(), .contacts_only = one_in(3)});
  }

  // Mostly the same journal, now and then behind one more loss.
  SeqSource source() {
    if (one_in(30)) ++losses_;
    return {.journal = {static_cast<std::uint8_t>(one_in(6) ? 0x43 : 0x42)}, .losses = losses_};
  }

  // Any row, also such as no request makes.
  std::string set_contact() {
    const auto one = pick(kUsers);
    const auto other = pick(kUsers);
    if (one == other) return "";
    std::optional<ContactState> state;
    if (!one_in(3)) state = static_cast<ContactState>(number(0, 3));
    return pair_.both("set_contact " + one + " " + other, [&](Side& side) {
      const bool known = side.store.load_user(one, 0, false) && side.store.load_user(other, 0, false);
      if (known) side.set_contact(one, other, state);
      return std::string(known ? "set" : "not known");
    });
  }

  std::string add_member() {
    const int which = group();
    const auto name = user();
    const auto role = static_cast<Role>(number(0, 2));
    const auto by = one_in(3) ? "" : user();
    return pair_.both("add_member " + std::to_string(which) + " " + name, [&](Side& side) {
      side.store.add_member(side.name(which), name, role, by, now_);
      return side.text(side.store.find_conversation(side.name(which)));
    });
  }

  std::string remove_member() {
    const int which = group();
    const auto name = user();
    return pair_.both("remove_member " + std::to_string(which) + " " + name, [&](Side& side) {
      side.store.remove_member(side.name(which), name, "someone", now_);
      return side.text(side.store.find_conversation(side.name(which)));
    });
  }

  std::string set_device() {
    const auto name = user();
    const auto which = device();
    DeviceSettings settings;
    if (one_in(2)) settings.replay = static_cast<Replay>(number(0, 1));
    if (one_in(2)) settings.replay_limit = number(0, 3);
    if (one_in(2)) settings.ack = static_cast<AckMode>(number(0, 1));
    return pair_.both("set_device " + name + " " + which,
                      [&](Side& side) { return side.text(side.store.set_device(name, which, settings)); });
  }

  std::string open_device() {
    const auto name = user();
    const auto which = device();
    return pair_.both("open_device " + name + " " + which,
                      [&](Side& side) { return side.text(side.store.open_device(name, which)); });
  }

  std::string owed_in() {
    const auto name = user();
    const auto which = device();
    const int conv = group();
    return pair_.both("owed_in " + name + " " + which, [&](Side& side) {
      DeviceOpening opening;
      if (const auto owed = side.store.owed_in(name, which, side.id(conv))) opening.owed.push_back(*owed);
      return side.text(opening);
    });
  }

  std::string lists() {
    const auto after = one_in(2) ? "" : user();
    const int limit = number(0, 5);
    const auto name = user();
    return pair_.both("lists after " + after, [&](Side& side) {
      return side.text(side.store.list_users(after, limit)) + side.text(side.store.list_conversations("", 10'000)) +
             side.text(side.store.devices(name, "")) + side.text(side.store.status());
    });
  }

  std::string messages_above() {
    std::vector<std::pair<int, Seq>> wants;
    for (int i = number(0, 4); i > 0; --i) wants.emplace_back(group(), number(0, 30));
    const int limit = number(0, 40);
    const auto bytes = static_cast<std::size_t>(number(0, 3000));
    return pair_.both("messages_above", [&](Side& side) {
      std::vector<PageWant> own;
      for (const auto& [which, above] : wants) own.push_back({side.id(which), above});
      return side.text(side.store.messages_above(own, limit, bytes));
    });
  }

  std::string events_above() {
    const int which = group();
    const Rev above = number(0, 5);
    const int limit = number(0, 6);
    return pair_.both("events_above " + std::to_string(which),
                      [&](Side& side) { return side.text(side.store.events_above(side.id(which), above, limit)); });
  }

  // A batch as a broker makes them, now and then the last one once more.
  std::string commit() {
    if (one_in(8)) return pair_.commit("the last batch again", last_);
    now_ += one_in(30) ? 40LL * 86'400'000 : number(0, 900);  // sometimes into another month
    WantedBatch batch;
    batch.from = position_;
    batch.to = position_ + static_cast<Position>(number(1, 500));
    for (int i = number(0, 12); i > 0; --i) {
      const int which = group();
      if (which == pair_.groups()) continue;  // it would make the whole batch fail: commit_nonsense()
      seqs_[which] = std::max(seqs_[which], pair_.last_seq(which));  // it may have jumped
      batch.messages.push_back(
          {which, ++seqs_[which], now_, pick(kUsers), one_in(3) ? "" : "id-" + std::to_string(++ids_), one_in(5),
           "{\"body\":\"" + std::string(static_cast<std::size_t>(number(0, 90)), 'x') + "\\n聊\"}"});
    }
    for (int i = number(0, 12); i > 0; --i) {
      const Seq jumped = one_in(3) ? number(0, static_cast<int>(losses_)) * kSeqJump : 0;
      batch.cursors.push_back({group(), user(), device(), jumped + number(0, 40), number(0, 8),
                               one_in(2) ? 0 : jumped + number(0, 40), now_});
    }
    if (one_in(4)) batch.commands = std::min(number(1, 3), static_cast<int>(batch.to - batch.from));
    position_ = batch.to;
    last_ = batch;
    return pair_.commit("commit", batch);
  }

  // A batch that no broker makes.
  std::string commit_nonsense() {
    WantedBatch batch;
    batch.from = position_ + static_cast<Position>(number(0, 2)) - 1;
    batch.to = batch.from + static_cast<Position>(number(0, 3)) - 1;
    if (batch.from == position_ && batch.to > position_) {
      const int which = group();
      const bool falling = one_in(2) && which != pair_.groups();
      batch.messages.push_back({falling ? which : pair_.groups(),
                                falling ? number(0, static_cast<int>(seqs_[which])) : 1, now_, "alice", "", false,
                                "{}"});
    }
    return pair_.commit("nonsense", batch);
  }

  static inline const std::vector<std::string> kUsers{"alice", "bob", "Carol", "dave.x", "null", "e-f"};
  static inline const std::vector<std::string> kDevices{"phone", "tablet", "a \"quoted\" \\ one", "聊"};

  TwinPair& pair_;
  std::mt19937_64 chance_;
  TimeMs now_ = 1'750'000'000'000;
  Position position_ = 1000;
  WantedBatch last_{.from = 900, .to = 1000};
  std::map<int, Seq> seqs_;
  std::int64_t losses_ = 0;
  int nobodies_ = 0;
  int ids_ = 0;
};

Side in_memory(MemoryStore& store) {
  return {store, [&store](const auto& user, const auto& whom, auto state) { store.set_contact(user, whom, state); }};
}

TEST(TwinStores, AnswerTheSame) {
  auto& server = PrivatePostgres::shared();
  const auto uri = server.migrated_database();
  const auto postgres = open_postgres(uri, "twin");
  MemoryStore memory;
  const auto set_row = [&](const std::string& user, const std::string& whom, std::optional<ContactState> state) {
    const auto key = "'" + user + "', '" + whom + "'";
    server.run_sql(uri, "DELETE FROM contacts WHERE (user_name, other) = (" + key + ")");
    if (state) {
      server.run_sql(uri,
                     "INSERT INTO contacts VALUES (" + key + ", " + std::to_string(static_cast<int>(*state)) + ", 1)");
    }
  };
  TwinPair pair({*postgres, set_row}, in_memory(memory));
  RandomOperations operations(pair, generator("twin stores"));
  int killed = 0;
  for (int i = 0; i < kOperations; ++i) {
    if (i % 97 == 96) {
      killed += static_cast<int>(server.number(
          uri, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'twin'"));
    }
    const auto difference = operations.step();
    ASSERT_EQ(difference, "") << "operation " << i;
  }
  std::cout << pair.summary() << ", backends killed " << killed << '\n';
  EXPECT_GT(killed, 0);
  EXPECT_GT(pair.count("applied"), 100);
  EXPECT_GT(pair.count("already applied"), 10);
  EXPECT_GT(pair.count("corrupt"), 10);
  EXPECT_GT(pair.count("refused"), 50);
  EXPECT_GT(operations.jumped(), 2);
  EXPECT_GT(pair.count("set"), 30);
  EXPECT_GT(pair.count("unknown dm"), 3) << "direct conversations that were not made";
}

// The comparison itself can fail: a store that forgets one thing is found out.
TEST(TwinStores, ADifferenceIsSeen) {
  MemoryStore one;
  MemoryStore other;
  other.add_user("mallory");
  TwinPair pair(in_memory(one), in_memory(other));
  RandomOperations operations(pair, generator("twin canary"));
  std::string difference;
  for (int i = 0; i < kOperations && difference.empty(); ++i) difference = operations.step();
  EXPECT_NE(difference, "");
}

}  // namespace
}  // namespace chat::test
