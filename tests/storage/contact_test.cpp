// What a step makes of two users, and how they stand to each other when their conversation is loaded.
#include "storage/contact.h"

#include <gtest/gtest.h>

#include "storage/labels.h"
#include "tests/storage/both_stores.h"
#include "tests/storage/private_postgres.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

using enum ContactAction;

constexpr std::optional<ContactState> kNothing;
constexpr ContactPair kStrangers{};
constexpr ContactPair kIAsked{ContactState::kPendingOut, ContactState::kPendingIn};
constexpr ContactPair kIWasAsked{ContactState::kPendingIn, ContactState::kPendingOut};
constexpr ContactPair kFriends{ContactState::kAccepted, ContactState::kAccepted};
constexpr ContactPair kIBlock{ContactState::kBlocked, kNothing};
constexpr ContactPair kIAmBlocked{kNothing, ContactState::kBlocked};
constexpr ContactPair kBothBlock{ContactState::kBlocked, ContactState::kBlocked};

std::string text(const ContactPair& pair) {
  const auto word = [](const auto& state) { return state ? std::string(label(*state)) : std::string("-"); };
  return word(pair.mine) + " " + word(pair.theirs);
}

std::string outcome(ContactAction action, const ContactPair& pair) {
  try {
    const auto step = contact_step(action, "alice", "bob", pair);
    return text(step.becomes) + (step.told.empty() ? "" : ", " + std::string(step.told));
  } catch (const StoreRefused& refused) {
    EXPECT_NE(std::string(refused.what()).find("\"bob\""), std::string::npos) << refused.what();
    return refused.code();
  }
}

TEST(ContactStep, RequestsAskOrAcceptWhatCrossed) {
  EXPECT_EQ(outcome(kRequest, kStrangers), "pending_out pending_in, contact.requested");
  EXPECT_EQ(outcome(kRequest, kIWasAsked), "accepted accepted, contact.accepted");
  EXPECT_EQ(outcome(kRequest, kIAsked), text(kIAsked));
  EXPECT_EQ(outcome(kRequest, kFriends), text(kFriends));
  for (const auto& pair : {kIBlock, kIAmBlocked, kBothBlock}) EXPECT_EQ(outcome(kRequest, pair), "blocked");
}

TEST(ContactStep, OnlyWhoWasAskedAccepts) {
  EXPECT_EQ(outcome(kAccept, kIWasAsked), "accepted accepted, contact.accepted");
  EXPECT_EQ(outcome(kAccept, kFriends), text(kFriends));
  EXPECT_EQ(outcome(kAccept, kIAsked), "not_found");
  EXPECT_EQ(outcome(kAccept, kStrangers), "not_found");
  for (const auto& pair : {kIBlock, kIAmBlocked, kBothBlock}) EXPECT_EQ(outcome(kAccept, pair), "blocked");
}

TEST(ContactStep, RemovingEndsAContactOrARequestButNoBlock) {
  for (const auto& pair : {kFriends, kIAsked, kIWasAsked}) EXPECT_EQ(outcome(kRemove, pair), "- -, contact.removed");
  for (const auto& pair : {kStrangers, kIBlock, kIAmBlocked, kBothBlock}) {
    EXPECT_EQ(outcome(kRemove, pair), "not_found");
  }
}

TEST(ContactStep, ABlockEndsWhatThereWasAndTellsNobody) {
  for (const auto& pair : {kStrangers, kFriends, kIAsked, kIWasAsked, kIBlock}) {
    EXPECT_EQ(outcome(kBlock, pair), text(kIBlock));
  }
  for (const auto& pair : {kIAmBlocked, kBothBlock}) EXPECT_EQ(outcome(kBlock, pair), text(kBothBlock));
}

TEST(ContactStep, UnblockingRestoresNothingAndLeavesTheOthersBlock) {
  EXPECT_EQ(outcome(kUnblock, kIBlock), "- -");
  EXPECT_EQ(outcome(kUnblock, kBothBlock), text(kIAmBlocked));
  for (const auto& pair : {kStrangers, kFriends, kIAsked, kIAmBlocked}) EXPECT_EQ(outcome(kUnblock, pair), "not_found");
}

TEST(ContactStep, NobodyIsAContactOfTheirOwn) {
  for (const auto action : {kRequest, kAccept, kRemove, kBlock, kUnblock}) {
    const auto refused = refusal([&] { contact_step(action, "alice", "alice", kStrangers); });
    EXPECT_EQ(refused.code, "bad_field");
    EXPECT_NE(refused.sentence.find("\"alice\""), std::string::npos);
  }
}

class ContactsInPostgres : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : {"alice", "bob", "carol"}) store_->add_user(name);
  }
  void sql(const std::string& statement) { server_.run_sql(uri_, statement); }
  bool may_see(const std::string& asker, const std::string& other) {
    return server_.number(uri_, "SELECT chat_may_see('" + asker + "', '" + other + "')::int") == 1;
  }
  PrivatePostgres& server_ = PrivatePostgres::shared();
  const std::string uri_ = server_.migrated_database();
  const std::unique_ptr<Store> store_ = open_postgres(uri_, "contacts");
};

TEST_F(ContactsInPostgres, EachChangeIsToldByTheNameOfTheDirectConversation) {
  store_->wait(std::chrono::milliseconds(0));
  for (const auto* statement : {"INSERT INTO contacts VALUES ('bob', 'alice', 0, 1)", "UPDATE contacts SET state = 2",
                                "DELETE FROM contacts"}) {
    sql(statement);
    const auto changes = store_->wait(kPatience);
    ASSERT_EQ(changes.size(), 1U) << statement;
    EXPECT_EQ(changes[0].kind, Change::Kind::kContacts);
    EXPECT_EQ(changes[0].name, "dm:alice:bob");
  }
}

// What is new is told as an event where it is nothing else: a broker then need not read the members.
TEST_F(ContactsInPostgres, AnEventIsToldAsOneAndAChangeOfMembersAsMore) {
  const auto conv = store_->create_group("", "alice", {}, 1);
  const auto id = std::to_string(store_->find_conversation(conv)->id);
  store_->wait(std::chrono::milliseconds(0));
  sql("INSERT INTO events VALUES (" + id + ", 2, 1, '{}')");
  auto changes = store_->wait(kPatience);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].kind, Change::Kind::kEvents);
  EXPECT_EQ(changes[0].name, conv);
  sql("DELETE FROM events WHERE rev = 2");
  store_->add_member(conv, "bob", Role::kMember, "", 1);
  changes = store_->wait(kPatience);
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes[0].kind, Change::Kind::kConversation) << "this word comes first";
}

// Exactly as the in-memory twin, which the twin test holds against it; here that it is not made.
TEST_F(ContactsInPostgres, ADirectConversationIsNotMadeForTwoWhoAreKeptApart) {
  const auto apart = store_->load_conversation("dm:alice:bob", {.source = {}, .contacts_only = true});
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->id, 0);
  EXPECT_FALSE(store_->find_conversation("dm:alice:bob"));
  sql("INSERT INTO contacts VALUES ('bob', 'alice', 3, 1)");
  const auto blocked = store_->load_conversation("dm:alice:bob", {});
  ASSERT_TRUE(blocked);
  EXPECT_EQ(blocked->id, 0);
  EXPECT_EQ(blocked->standing, (DirectStanding{.first_blocks = false, .second_blocks = true, .contacts = false}));
  EXPECT_FALSE(store_->find_conversation("dm:alice:bob"));
  sql("UPDATE contacts SET state = 2");
  EXPECT_GT(store_->load_conversation("dm:alice:bob", {.source = {}, .contacts_only = true})->id, 0);
  EXPECT_TRUE(store_->find_conversation("dm:alice:bob")->standing.contacts);
}

TEST_F(ContactsInPostgres, ContactsAndFellowMembersMaySeeUnlessTheyAreBlocked) {
  EXPECT_TRUE(may_see("alice", "alice"));
  EXPECT_FALSE(may_see("alice", "bob"));
  sql("INSERT INTO contacts VALUES ('alice', 'bob', 0, 1), ('bob', 'alice', 1, 1)");
  EXPECT_FALSE(may_see("alice", "bob"));
  EXPECT_FALSE(may_see("bob", "alice"));
  sql("UPDATE contacts SET state = 2");
  EXPECT_TRUE(may_see("alice", "bob"));
  EXPECT_TRUE(may_see("bob", "alice"));
  store_->create_group("", "alice", std::vector<std::string>{"carol"}, 1);
  EXPECT_TRUE(may_see("carol", "alice"));
  EXPECT_FALSE(may_see("carol", "bob"));
  sql("DELETE FROM contacts; INSERT INTO contacts VALUES ('alice', 'carol', 3, 1)");
  EXPECT_FALSE(may_see("carol", "alice")) << "whom she blocks";
  EXPECT_TRUE(may_see("alice", "carol")) << "who blocks may look";
}

}  // namespace
}  // namespace chat::test
