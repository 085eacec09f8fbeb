// Where a device stands when it opens its tap.
#include <gtest/gtest.h>

#include "tests/storage/both_stores.h"

namespace chat::test {
namespace {

class Opening : public BothStores {};
CHAT_ON_BOTH_STORES(Opening);

TEST_P(Opening, AFirstDeviceStartsWhereItsUserHasRead) {
  const auto conv = group({"alice", "bob"});
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_),
                       message(conv, 3, "alice", now_)}});
  commit({.cursors = {{conv.id, "bob", "phone", 2, 0, 1, now_}}});
  const auto opening = store().open_device("bob", "tablet");
  EXPECT_TRUE(opening.first_seen);
  EXPECT_EQ(opening.settings, DeviceSettings{});
  ASSERT_EQ(opening.owed.size(), 1U);
  EXPECT_EQ(opening.owed[0], (Owed{conv.id, conv.name, 1, 3, 1, 1}));
}

TEST_P(Opening, AnEarlierAcknowledgementOfAFirstDeviceCounts) {
  const auto conv = group({"alice", "bob"});
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_)}});
  commit({.cursors = {{conv.id, "bob", "phone", 1, 0, 0, now_}}});
  const auto opening = store().open_device("bob", "phone");
  EXPECT_TRUE(opening.first_seen);
  EXPECT_EQ(opening.owed.at(0).delivered, 1);
}

TEST_P(Opening, AKnownDeviceGoesOnAtItsCursor) {
  const auto conv = group({"alice", "bob"});
  EXPECT_TRUE(store().open_device("bob", "phone").first_seen);
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_)}});
  commit({.cursors = {{conv.id, "bob", "phone", 1, 0, 0, now_}}});
  const auto opening = store().open_device("bob", "phone");
  EXPECT_FALSE(opening.first_seen);
  EXPECT_EQ(opening.owed.at(0).delivered, 1);
  EXPECT_EQ(store().open_device("bob", "tablet").owed.at(0).delivered, 0);
}

TEST_P(Opening, OfAUsersDevicesAThousandAreKeptAndTheOneThatWasAwayLongestIsForgotten) {
  const auto conv = group({"alice", "bob"});
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_)}});
  EXPECT_TRUE(store().open_device("alice", "phone").first_seen);  // another user's is none of bob's
  store().open_device("bob", "oldest");
  const auto last_seen = [&](const std::string& device) { return store().devices("bob", device).at(0).last_seen; };
  do store().open_device("bob", "device 0");
  while (last_seen("device 0") == last_seen("oldest"));  // a millisecond
  for (int i = 1; i < kDevicesKept - 1; ++i) store().open_device("bob", "device " + std::to_string(i));
  commit({.cursors = {{conv.id, "bob", "oldest", 2, 0, 0, now_}}});
  EXPECT_EQ(store().devices("bob", {}).size(), static_cast<std::size_t>(kDevicesKept));
  EXPECT_TRUE(store().open_device("bob", "one more").first_seen);
  EXPECT_EQ(store().devices("bob", {}).size(), static_cast<std::size_t>(kDevicesKept));
  EXPECT_FALSE(store().open_device("bob", "device 0").first_seen);
  EXPECT_FALSE(store().open_device("alice", "phone").first_seen);
  const auto back = store().open_device("bob", "oldest");
  EXPECT_TRUE(back.first_seen);
  EXPECT_EQ(back.owed.at(0).delivered, 0) << "a forgotten device has no cursor";
}

TEST_P(Opening, SomeoneWhoJoinsIsOwedWhatComesAfter) {
  const auto conv = group({"alice", "bob"});
  store().add_user("carol");
  store().open_device("carol", "phone");
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_)}});
  store().add_member(conv.name, "carol", Role::kMember, "alice", now_);
  commit({.messages = {message(conv, 3, "alice", now_)}});
  const auto owed = store().open_device("carol", "phone").owed;
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0], (Owed{conv.id, conv.name, 2, 3, 1, 2}));
}

TEST_P(Opening, ComingBackToAGroupDoesNotShowWhatWasMissed) {
  const auto conv = group({"alice", "bob"});
  store().open_device("bob", "phone");
  commit({.messages = {message(conv, 1, "alice", now_)}, .cursors = {{conv.id, "bob", "phone", 1, 1, 1, now_}}});
  store().remove_member(conv.name, "bob", "alice", now_);
  EXPECT_TRUE(store().open_device("bob", "phone").owed.empty());
  commit({.messages = {message(conv, 2, "alice", now_), message(conv, 3, "alice", now_)}});
  store().add_member(conv.name, "bob", Role::kMember, "alice", now_);
  commit({.messages = {message(conv, 4, "alice", now_)}});
  const auto owed = store().open_device("bob", "phone").owed;
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0], (Owed{conv.id, conv.name, 3, 4, 2, 3}));
  EXPECT_EQ(member(conv.name, "bob").join_seq, 4);
}

TEST_P(Opening, OneConversationIsAskedForWithoutTheOthers) {
  const auto conv = group({"alice", "bob"});
  const auto other = group({"alice", "bob"});
  store().open_device("bob", "phone");
  EXPECT_EQ(store().owed_in("bob", "phone", conv.id), std::nullopt);
  commit(
      {.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_), message(other, 1, "alice", now_)},
       .cursors = {{conv.id, "bob", "phone", 1, 1, 1, now_}}});
  EXPECT_EQ(store().owed_in("bob", "phone", conv.id), (Owed{conv.id, conv.name, 1, 2, 1, 1}));
  EXPECT_EQ(store().owed_in("carol", "phone", conv.id), std::nullopt);
  EXPECT_EQ(store().owed_in("bob", "phone", conv.id + 1000), std::nullopt);
}

TEST_P(Opening, TheMostRecentlyActiveConversationComesFirst) {
  const auto quiet = group({"bob", "alice"});
  const auto older = group({"alice", "bob"});
  const auto newer = store().load_conversation("dm:alice:bob", {}).value();
  store().open_device("bob", "phone");
  commit({.messages = {message(newer, 1, "alice", now_ + 10), message(older, 1, "alice", now_ + 5)}});
  store().add_member(quiet.name, "alice", Role::kAdmin, "bob", now_ + 99);  // an event is no activity
  const auto owed = store().open_device("bob", "phone").owed;
  ASSERT_EQ(owed.size(), 3U);
  EXPECT_EQ(owed[0].conv, newer.name);
  EXPECT_EQ(owed[1].conv, older.name);
  EXPECT_EQ(owed[2].conv, quiet.name);
  EXPECT_EQ(owed[2].last_rev, 2);
}

TEST_P(Opening, SettingsMadeBeforehandDoNotMakeADeviceKnown) {
  const auto conv = group({"alice", "bob"});
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_)}});
  commit({.cursors = {{conv.id, "bob", "tablet", 0, 0, 1, now_}}});
  const auto made =
      store().set_device("bob", "phone", {.replay = Replay::kNewest, .replay_limit = 7, .ack = AckMode::kAuto});
  EXPECT_EQ(made.first_seen, 0);
  const auto opening = store().open_device("bob", "phone");
  EXPECT_TRUE(opening.first_seen);
  EXPECT_EQ(opening.settings.replay_limit, 7);
  EXPECT_EQ(opening.settings.replay, Replay::kNewest);
  EXPECT_EQ(opening.settings.ack, AckMode::kAuto);
  EXPECT_EQ(opening.owed.at(0).delivered, 1);
  EXPECT_FALSE(store().open_device("bob", "phone").first_seen);
  EXPECT_GT(store().devices("bob", "phone").at(0).first_seen, 0);
}

TEST_P(Opening, StrangersAndBadDeviceNamesAreRefused) {
  store().add_user("alice");
  EXPECT_EQ(refusal([&] { store().open_device("nobody", "phone"); }).code, "not_found");
  EXPECT_NE(refusal([&] { store().open_device("nobody", "phone"); }).sentence.find("nobody"), std::string::npos);
  EXPECT_EQ(refusal([&] { store().open_device("alice", ""); }).code, "bad_field");
  EXPECT_EQ(refusal([&] { store().open_device("alice", std::string(257, 'x')); }).code, "bad_field");
  EXPECT_TRUE(store().devices("nobody", "").empty());
}

}  // namespace
}  // namespace chat::test
