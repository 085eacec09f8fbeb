// Goal: no text but the one that was signed gets in. Method: good tokens of each algorithm are changed at random, in
// their characters, in their decoded bytes, and by putting parts of one to parts of another; whatever differs must be
// refused.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "plugin/auth/base64url.h"
#include "plugin/auth/key_file.h"
#include "plugin/auth/token_checker.h"
#include "tests/auth/folder.h"
#include "tests/auth/signers.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

using nlohmann::json;

constexpr int kRounds = 4000;

class Forger {
 public:
  explicit Forger(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

  std::string forged() {
    auto token = tokens_[below(tokens_.size())];
    const auto changes = 1 + below(3);
    for (std::size_t i = 0; i < changes; ++i) token = changed(token);
    return token;
  }

 private:
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }

  char character() {
    static const std::string kUsual = "ABCxyz019-_.=+/ \n\x01\xff{}\"";
    return kUsual[below(kUsual.size())];
  }

  static std::vector<std::string> parts_of(const std::string& token) {
    std::vector<std::string> parts(1);
    for (const char c : token) {
      if (c == '.') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    parts.resize(3);
    return parts;
  }

  std::string changed(std::string token) {
    if (token.empty()) return "x";
    const auto at = below(token.size());
    switch (below(7)) {
      case 0:
        token[at] = character();
        return token;
      case 1:
        return token.erase(at, 1 + below(4));
      case 2:
        return token.insert(at, 1, character());
      case 3:  // the last character of a part, where base64 has bits to spare
        token[token.size() - 1] = static_cast<char>(token.back() ^ 1);
        return token;
      case 4: {
        auto parts = parts_of(token);
        const auto which = below(3);
        parts[which] = parts_of(tokens_[below(tokens_.size())])[which];
        return parts[0] + "." + parts[1] + "." + parts[2];
      }
      case 5: {
        auto parts = parts_of(token);
        const auto which = below(3);
        auto bytes = from_base64url(parts[which]).value_or("");
        if (!bytes.empty()) bytes[below(bytes.size())] ^= static_cast<char>(1 + below(255));
        parts[which] = to_base64url(bytes);
        return parts[0] + "." + parts[1] + "." + parts[2];
      }
      default:
        return token.substr(0, at);
    }
  }

  const std::vector<std::string> tokens_;
  std::mt19937_64 random_ = generator("forged tokens");
};

TEST(Forgery, NoChangedTokenIsAccepted) {
  json set{{"keys", json::array()}};
  std::vector<std::string> good;
  for (const auto& signer : all_signers()) {
    set["keys"].push_back(signer.jwk("of-" + signer.algorithm()));
    for (const auto* user : {"alice", "bob"})
      good.push_back(signer.token({{"sub", user}, {"exp", kNow / 1000 + 60}}, {{"kid", "of-" + signer.algorithm()}}));
  }
  const KeyFolder folder;
  KeyRing ring;
  ASSERT_EQ(load_keys({.kind = KeySource::Kind::kJwks, .path = folder.file("jwks.json", set.dump())}, &ring), "");
  const TokenChecker checker(ring.keys, {});
  const std::set<std::string> as_signed(good.begin(), good.end());
  Forger forger(good);
  int tried = 0;
  for (int i = 0; i < kRounds; ++i) {
    const auto token = forger.forged();
    const bool good_one = as_signed.contains(token);  // changed, and changed back
    tried += good_one ? 0 : 1;
    for (const auto* user : {"alice", "bob"}) {
      const bool accepted = checker.check(token, user, kNow).refusal.empty();
      ASSERT_TRUE(!accepted || good_one) << "round " << i << ": " << token;
    }
  }
  EXPECT_GT(tried, kRounds * 9 / 10);
  EXPECT_EQ(checker.check(good.front(), "alice", kNow).refusal, "");
}

}  // namespace
}  // namespace chat::test
