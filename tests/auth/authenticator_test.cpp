// Who is admitted, refused or left to the broker; when connections end; what a reload of the keys does.
#include "plugin/auth/authenticator.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/auth/folder.h"
#include "tests/auth/signers.h"
#include "tests/core/support/fakes.h"

namespace chat::test {
namespace {

using nlohmann::json;
using Answer = Authenticator::Answer;

class Authentication : public ::testing::Test {
 protected:
  Authentication() { EXPECT_EQ(authenticator_.open(), ""); }

  std::string token(const std::string& user, int seconds, const Signer& signer = p256()) const {
    return signer.token({{"sub", user}, {"exp", clock_.wall / 1000 + seconds}});
  }

  Answer login(const void* handle, const std::string& device, const std::string& user, const std::string& password) {
    return authenticator_.login({.handle = handle, .device = device, .user = user}, password);
  }

  void tick() {
    authenticator_.tick([this](const ExpiryBook::Connection& ended) { return ended.handle != gone_; });
  }

  bool logged(const std::string& text) const {
    return std::any_of(broker_.lines.begin(), broker_.lines.end(),
                       [&](const auto& line) { return line.second.find(text) != std::string::npos; });
  }

  KeyFolder folder_;
  std::string path_ = folder_.file("key.pem", p256().public_pem());
  FakeClock clock_;
  FakeBroker broker_;
  AuthOptions options_{.keys = {.kind = KeySource::Kind::kPublicKeys, .path = path_},
                       .rules = {.issuer = {}, .audience = {}, .leeway_ms = 0, .never_user = "chat-bridge"}};
  Authenticator authenticator_{options_, clock_, broker_};
  // Only their addresses count.
  const int one_ = 1;
  const int two_ = 2;
  const void* gone_ = nullptr;
};

TEST_F(Authentication, AdmitsATokenRefusesABadOneAndLeavesPasswordsToTheBroker) {
  EXPECT_EQ(login(&one_, "phone", "alice", token("alice", 60)), Answer::kAdmit);
  EXPECT_EQ(login(&two_, "phone", "alice", token("alice", 60, ed25519())), Answer::kRefuse);
  EXPECT_EQ(login(&two_, "phone", "alice", token("alice", -1)), Answer::kRefuse);
  EXPECT_EQ(login(&two_, "bridge", "chat-bridge", token("chat-bridge", 60)), Answer::kRefuse);
  for (const auto* password : {"", "demo", "a.b.c"})
    EXPECT_EQ(login(&two_, "bridge", "chat-bridge", password), Answer::kNotOurs);
}

TEST_F(Authentication, AKeyInPemHasNoNameAndFitsATokenThatNamesOne) {
  const json claims{{"sub", "alice"}, {"exp", clock_.wall / 1000 + 60}};
  EXPECT_EQ(login(&one_, "phone", "alice", p256().token(claims, {{"kid", "of this year"}})), Answer::kAdmit);
}

TEST_F(Authentication, SaysWhomItRefusesAndWhyWithoutTheToken) {
  const auto bad = token("bob", 60);
  EXPECT_EQ(login(&one_, "phone", "al\nice", bad), Answer::kRefuse);
  EXPECT_TRUE(logged("The token of user \"al?ice\" on \"phone\" is refused: its \"sub\" is \"bob\""));
  for (std::size_t from = 0, dot = 0; dot != std::string::npos; from = dot + 1) {
    dot = bad.find('.', from);
    EXPECT_FALSE(logged(bad.substr(from, dot - from)));
  }
}

TEST_F(Authentication, EndsTheConnectionWhenTheTokenDoes) {
  login(&one_, "phone", "alice", token("alice", 3));
  login(&two_, "tablet", "alice", token("alice", 5));
  clock_.pass(2999);
  tick();
  EXPECT_TRUE(broker_.kicked.empty());
  clock_.pass(1);
  tick();
  EXPECT_EQ(broker_.kicked, std::vector<std::string>{"phone"});
  EXPECT_TRUE(logged("\"alice\" on \"phone\" has ended"));
  tick();
  EXPECT_EQ(broker_.kicked.size(), 1U);
  clock_.pass(2000);
  tick();
  EXPECT_EQ(broker_.kicked.size(), 2U);
}

TEST_F(Authentication, EndsNoneThatIsGoneOrCameInByOtherMeansSince) {
  login(&one_, "phone", "alice", token("alice", 3));
  login(&two_, "tablet", "alice", token("alice", 3));
  authenticator_.disconnected(&one_);
  login(&two_, "tablet", "alice", "demo");  // a new connection at the old one's address
  clock_.pass(3000);
  tick();
  EXPECT_TRUE(broker_.kicked.empty());
}

TEST_F(Authentication, EndsWhoIsThereNowWhereAnotherDeviceGotTheSameAddressAndToken) {
  const auto same = token("alice", 3);
  login(&one_, "phone", "alice", same);
  login(&one_, "tablet", "alice", same);
  clock_.pass(3000);
  tick();
  EXPECT_EQ(broker_.kicked, std::vector<std::string>{"tablet"});
}

TEST_F(Authentication, EndsNoneForATokenThatWasFollowedByOneThatIsRefused) {
  login(&one_, "phone", "alice", token("alice", 3));
  EXPECT_EQ(login(&one_, "phone", "alice", token("bob", 3)), Answer::kRefuse);
  clock_.pass(3000);
  tick();
  EXPECT_TRUE(broker_.kicked.empty());
}

TEST_F(Authentication, WarnsOfASecretThatAllMayRead) {
  auto options = options_;
  options.keys = {.kind = KeySource::Kind::kSecret, .path = folder_.file("secret", std::string(40, 's'))};
  std::filesystem::permissions(options.keys.path, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  Authenticator other(options, clock_, broker_);
  EXPECT_EQ(other.open(), "");
  EXPECT_TRUE(logged("chmod 600"));
}

TEST_F(Authentication, EndsNoConnectionThatTookTheClientIdOver) {
  login(&one_, "phone", "alice", token("alice", 3));
  gone_ = &one_;
  clock_.pass(3000);
  tick();
  EXPECT_TRUE(broker_.kicked.empty());
}

TEST_F(Authentication, EndsThousandsAtTheSameMomentSomeAtATick) {
  std::vector<int> handles(1000);
  const auto same = token("alice", 3);
  for (auto& handle : handles) login(&handle, "d" + std::to_string(&handle - handles.data()), "alice", same);
  clock_.pass(3000);
  int ticks = 0;
  for (; broker_.kicked.size() < handles.size() && ticks < 1000; ++ticks) tick();
  EXPECT_EQ(broker_.kicked.size(), handles.size());
  EXPECT_GT(ticks, 1);
}

TEST_F(Authentication, ANewTokenOfTheSameConnectionMovesItsEnd) {
  login(&one_, "phone", "alice", token("alice", 3));
  login(&one_, "phone", "alice", token("alice", 10));
  clock_.pass(3000);
  tick();
  EXPECT_TRUE(broker_.kicked.empty());
}

TEST_F(Authentication, TakesTheNewKeysAtAReloadAndKeepsTheOldOnesWhereTheFileIsBad) {
  folder_.file("key.pem", "no key");
  authenticator_.reload();
  EXPECT_TRUE(logged("keys that were read before stay"));
  EXPECT_EQ(login(&one_, "phone", "alice", token("alice", 60)), Answer::kAdmit);
  folder_.file("key.pem", ed25519().public_pem());
  authenticator_.reload();
  EXPECT_EQ(login(&one_, "phone", "alice", token("alice", 60)), Answer::kRefuse);
  EXPECT_EQ(login(&one_, "phone", "alice", token("alice", 60, ed25519())), Answer::kAdmit);
}

// The broker asks about everybody at a SIGHUP, such as a log's rotation, and a signature takes half a millisecond of
// its thread.
TEST_F(Authentication, ChecksATokenAgainOnlyWhereSomethingChanged) {
  const auto mine = token("alice", 60);
  EXPECT_EQ(login(&one_, "phone", "alice", mine), Answer::kAdmit);
  const auto as_another = [&](const char* user) { return login(&one_, "phone", user, mine); };
  folder_.file("key.pem", ed25519().public_pem() + p256().public_pem());
  authenticator_.reload();
  EXPECT_EQ(login(&one_, "phone", "alice", mine), Answer::kAdmit);
  EXPECT_EQ(as_another("bob"), Answer::kRefuse);
  EXPECT_EQ(login(&one_, "phone", "alice", mine), Answer::kAdmit);
  folder_.file("key.pem", ed25519().public_pem());
  authenticator_.reload();
  EXPECT_EQ(login(&one_, "phone", "alice", mine), Answer::kRefuse);
  folder_.file("key.pem", p256().public_pem());
  authenticator_.reload();
  EXPECT_EQ(login(&one_, "phone", "alice", mine), Answer::kAdmit);
  clock_.pass(60'000);
  EXPECT_EQ(login(&one_, "phone", "alice", mine), Answer::kRefuse);
}

TEST_F(Authentication, DoesNotStartWithoutKeys) {
  auto options = options_;
  options.keys.path = "/nonexistent/key.pem";
  Authenticator other(options, clock_, broker_);
  EXPECT_NE(other.open().find("/nonexistent/key.pem"), std::string::npos);
}

}  // namespace
}  // namespace chat::test
