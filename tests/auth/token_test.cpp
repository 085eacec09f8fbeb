// What a token must be and say to let somebody in.
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "plugin/auth/base64url.h"
#include "plugin/auth/key_file.h"
#include "plugin/auth/token.h"
#include "plugin/auth/token_checker.h"
#include "tests/auth/folder.h"
#include "tests/auth/signers.h"

namespace chat::test {
namespace {

using nlohmann::json;

constexpr std::int64_t kNowS = kNow / 1000;

json claims(const json& more = json::object()) {
  json all{{"sub", "alice"}, {"exp", kNowS + 60}};
  all.update(more);
  return all;
}

json without(const std::string& name) {
  auto all = claims();
  all.erase(name);
  return all;
}

// The keys that the plugin would have, of these signers.
std::vector<VerifyKey> keys_of(const std::vector<Signer>& signers) {
  json set{{"keys", json::array()}};
  for (const auto& signer : signers) set["keys"].push_back(signer.jwk("of-" + signer.algorithm()));
  const KeyFolder folder;
  KeyRing ring;
  const auto why = load_keys({.kind = KeySource::Kind::kJwks, .path = folder.file("jwks.json", set.dump())}, &ring);
  if (!why.empty()) throw std::runtime_error(why);
  return ring.keys;
}

TokenChecker checker(const std::vector<Signer>& signers, TokenRules rules = {}) {
  return {keys_of(signers), std::move(rules)};
}

std::string refusal(const std::string& token, const TokenRules& rules = {}, TimeMs now = kNow) {
  return checker(all_signers(), rules).check(token, "alice", now).refusal;
}

void expect_refused(const std::string& token, const std::string& why, const TokenRules& rules = {}) {
  const auto said = refusal(token, rules);
  EXPECT_NE(said.find(why), std::string::npos) << "said \"" << said << "\" and not \"" << why << "\"";
  EXPECT_EQ(said.find(token.substr(token.rfind('.'))), std::string::npos) << "it repeats the signature: " << said;
}

TEST(Token, OfEachAlgorithmLetsItsUserInUntilItsEnd) {
  for (const auto& signer : all_signers()) {
    const auto verdict = checker({signer}).check(signer.token(claims()), "alice", kNow);
    EXPECT_EQ(verdict.refusal, "") << signer.algorithm();
    EXPECT_EQ(verdict.ends_at, kNow + 60'000) << signer.algorithm();
  }
}

TEST(Token, IsTakenOnlyByTheKeyThatSignedIt) {
  for (const auto& signer :
       {Signer::rsa(), Signer::elliptic(), Signer::ed25519(), Signer::secret("another secret of thirty-two bytes!")}) {
    expect_refused(signer.token(claims()), "its signature is not of a key");
  }
}

TEST(Token, ThatHasEndedIsRefusedAtTheMillisecond) {
  const auto token = rsa().token(claims({{"exp", kNowS}}));
  EXPECT_EQ(refusal(token, {}, kNow - 1), "");
  EXPECT_NE(refusal(token, {}, kNow).find("\"exp\" passed"), std::string::npos);
  const TokenRules patient{.issuer = {}, .audience = {}, .leeway_ms = 5000, .never_user = {}};
  EXPECT_EQ(refusal(token, patient, kNow + 4999), "");
  EXPECT_NE(refusal(token, patient, kNow + 5000), "");
  EXPECT_EQ(checker(all_signers(), patient).check(token, "alice", kNow).ends_at, kNow + 5000);
}

TEST(Token, ThatIsNotYetIsRefused) {
  const auto token = p256().token(claims({{"nbf", kNowS + 10}}));
  expect_refused(token, "\"nbf\" is 10 s ahead");
  EXPECT_EQ(refusal(token, {}, kNow + 10'000), "");
  EXPECT_EQ(refusal(token, {.issuer = {}, .audience = {}, .leeway_ms = 10'000, .never_user = {}}), "");
}

TEST(Token, MustEndAndSayItsTimesAsSeconds) {
  expect_refused(rsa().token(without("exp")), "no \"exp\"");
  for (const auto& odd : {json("soon"), json(nullptr), json(-5), json(1e300), json(kNow + 60'000), json::array({1}),
                          json(true), json("1800000000")}) {
    expect_refused(rsa().token(claims({{"exp", odd}})), "\"exp\" is no number");
    if (!odd.is_null()) expect_refused(rsa().token(claims({{"nbf", odd}})), "\"nbf\" is no number");
  }
  EXPECT_EQ(checker({rsa()}).check(rsa().token(claims({{"exp", kNowS + 0.25}})), "alice", kNow).ends_at, kNow + 250);
}

TEST(Token, IsOfTheIssuerThatIsAskedFor) {
  const TokenRules rules{.issuer = "https://login.example.org", .audience = {}, .leeway_ms = 0, .never_user = {}};
  EXPECT_EQ(refusal(rsa().token(claims({{"iss", "https://login.example.org"}})), rules), "");
  expect_refused(rsa().token(claims()), "no \"iss\"", rules);
  for (const auto& other : {json("https://login.example.org/"), json(""), json("evil")})
    expect_refused(rsa().token(claims({{"iss", other}})), "its \"iss\" is", rules);
  expect_refused(rsa().token(claims({{"iss", json::array({"https://login.example.org"})}})), "no \"iss\"", rules);
}

TEST(Token, IsForTheAudienceThatIsAskedForAloneOrAmongOthers) {
  const TokenRules rules{.issuer = {}, .audience = "chat", .leeway_ms = 0, .never_user = {}};
  EXPECT_EQ(refusal(rsa().token(claims({{"aud", "chat"}})), rules), "");
  EXPECT_EQ(refusal(rsa().token(claims({{"aud", {"mail", "chat"}}})), rules), "");
  expect_refused(rsa().token(claims()), "no \"aud\"", rules);
  for (const auto& other : {json("chats"), json(json::array({"mail"})), json(json::array()), json(5), json(nullptr),
                            json({{"chat", "chat"}}), json(json::array({json::array({"chat"})}))})
    expect_refused(rsa().token(claims({{"aud", other}})), "its \"aud\" is not", rules);
}

TEST(Token, ForSomeAudienceIsRefusedWhereNoneIsAskedFor) {
  expect_refused(rsa().token(claims({{"aud", "mail"}})), "jwt_audience");
}

TEST(Token, IsOfOneUserWhoseNameTheClientGives) {
  expect_refused(rsa().token(without("sub")), "no \"sub\"");
  for (const auto& odd : {json(5), json(nullptr), json::array({"alice"})})
    expect_refused(rsa().token(claims({{"sub", odd}})), "no \"sub\"");
  for (const auto& other : {"bob", "Alice", "alice ", ""})
    expect_refused(rsa().token(claims({{"sub", other}})), "which is not the user name");
  const auto check = checker({rsa()}, {.issuer = {}, .audience = {}, .leeway_ms = 0, .never_user = "chat-bridge"});
  EXPECT_NE(check.check(rsa().token(claims()), "", kNow).refusal.find("no user name"), std::string::npos);
  EXPECT_NE(check.check(rsa().token(claims({{"sub", "a b"}})), "a b", kNow).refusal, "");
  EXPECT_NE(check.check(rsa().token(claims({{"sub", "chat-bridge"}})), "chat-bridge", kNow).refusal.find("the bridge"),
            std::string::npos);
}

TEST(Token, WithoutASignatureIsRefusedHoweverItSaysSo) {
  for (const std::string name : {"none", "None", "NONE", "nOnE", ""}) {
    const auto header = json{{"alg", name}}.dump();
    const auto unsigned_token = compact(header, claims().dump(), "");
    expect_refused(unsigned_token + "", "its \"alg\" is");
    EXPECT_TRUE(looks_like_token(unsigned_token)) << "it would be handed on as a password";
    EXPECT_NE(refusal(rsa().token_of(header, claims().dump())), "");
  }
  for (const auto& signer : all_signers()) {
    const auto token = signer.token(claims());
    EXPECT_NE(refusal(token.substr(0, token.rfind('.') + 1)), "") << signer.algorithm();
    EXPECT_NE(refusal(token.substr(0, token.rfind('.'))), "") << signer.algorithm();
  }
}

// The classic forgery: the public key is known to all; who takes the algorithm from the token checks an HMAC with it.
TEST(Token, SignedWithAPublicKeyAsASecretIsRefused) {
  for (const auto& owner : {rsa(), p256(), ed25519()}) {
    for (const auto& known : {owner.public_pem(), owner.public_pem().substr(0, owner.public_pem().size() - 1)}) {
      const auto forger = Signer::secret(known);
      for (const auto& id : {json::object(), json{{"kid", "of-" + owner.algorithm()}}}) {
        EXPECT_NE(checker({owner}).check(forger.token(claims(), id), "alice", kNow).refusal, "");
        EXPECT_NE(checker(all_signers()).check(forger.token(claims(), id), "alice", kNow).refusal, "");
        EXPECT_NE(checker({owner}).check(forger.token(claims(), {{"alg", owner.algorithm()}}), "alice", kNow).refusal,
                  "");
      }
    }
  }
}

TEST(Token, WhoseAlgorithmIsNotThatOfTheKeyIsRefused) {
  for (const auto& signer : all_signers()) {
    for (const auto* name :
         {"HS256", "RS256", "ES256", "EdDSA", "HS384", "RS512", "PS256", "ES384", "rs256", "eddsa"}) {
      if (name == signer.algorithm()) continue;
      EXPECT_NE(checker({signer}).check(signer.token(claims(), {{"alg", name}}), "alice", kNow).refusal, "")
          << signer.algorithm() << " as " << name;
    }
  }
}

TEST(Token, NamesTheKeyOfSeveralByItsKid) {
  const auto old = Signer::rsa();
  auto keys = keys_of({rsa(), p256()});
  const TokenChecker check(keys, {});
  EXPECT_EQ(check.check(rsa().token(claims(), {{"kid", "of-RS256"}}), "alice", kNow).refusal, "");
  EXPECT_EQ(check.check(rsa().token(claims()), "alice", kNow).refusal, "") << "all of its algorithm are tried";
  EXPECT_NE(check.check(rsa().token(claims(), {{"kid", "of-ES256"}}), "alice", kNow).refusal.find("\"kid\""),
            std::string::npos);
  EXPECT_NE(check.check(rsa().token(claims(), {{"kid", 5}}), "alice", kNow).refusal, "");
  EXPECT_NE(check.check(old.token(claims(), {{"kid", "of-RS256"}}), "alice", kNow).refusal.find("signature"),
            std::string::npos);
}

TEST(Token, WithExtensionsThatMustBeUnderstoodIsRefused) {
  expect_refused(rsa().token(claims(), {{"crit", {"b64"}}, {"b64", false}}), "crit");
}

TEST(Token, ThatIsTooLongIsRefusedBeforeItIsRead) {
  expect_refused(rsa().token(claims({{"x", std::string(kTokenBytesMax, 'x')}})), "at most 16384");
}

TEST(Token, ThatIsSignedButNoObjectIsRefused) {
  for (const auto* payload : {"", "[]", "5", "null", "\"alice\"", "{\"sub\":", "{\"sub\":\"\xff\"}"}) {
    EXPECT_NE(refusal(rsa().token_of(R"({"alg":"RS256"})", payload)), "") << payload;
    EXPECT_NE(refusal(ed25519().token_of(R"({"alg":"EdDSA"})", payload)), "") << payload;
  }
  for (const auto* header : {"{}", "[]", "{\"alg\":5}", "{\"alg\":null}", "{\"alg\":\"RS256\"", "\"RS256\""})
    EXPECT_NE(refusal(rsa().token_of(header, claims().dump())), "") << header;
}

TEST(Token, IsToldFromAPassword) {
  for (const auto* password :
       {"", "demo", "a.b.c", "..", "e.e.e", "eyJ", "eyJ.eyJ", "eyJ.a.b.c", "correct horse", "e30", "e30.e30.e30.e30"})
    EXPECT_FALSE(looks_like_token(password)) << password;
  for (const auto* token : {"e30..", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJub25lIn0.!.?"})
    EXPECT_TRUE(looks_like_token(token)) << token;
}

// What Mosquitto's own TLS finds in OpenSSL's queue it takes for an error of the connection that it reads from.
TEST(Token, ThatFailsLeavesNoErrorInOpenSslsQueue) {
  for (const auto& signer : all_signers()) {
    auto token = signer.token(claims());
    EXPECT_EQ(refusal(token), "");
    EXPECT_EQ(ERR_peek_error(), 0U) << signer.algorithm();
    const auto signature = signer.sign("something else");
    EXPECT_NE(refusal(token.substr(0, token.rfind('.') + 1) + to_base64url(signature)), "");
    EXPECT_EQ(ERR_peek_error(), 0U) << signer.algorithm();
    EXPECT_NE(refusal(token.substr(0, token.rfind('.') + 1) + "AAAA"), "");
    EXPECT_EQ(ERR_peek_error(), 0U) << signer.algorithm();
  }
}

TEST(Base64Url, HasOneTextForTheSameBytes) {
  EXPECT_EQ(from_base64url(""), "");
  EXPECT_EQ(from_base64url("_-8"), "\xff\xef");
  EXPECT_EQ(from_base64url(to_base64url("any carnal pleas")), "any carnal pleas");
  for (const auto* odd : {"A", "AAAAA", "_-9", "AB", "QQ==", "Q Q", "+/8", "QQ\n", "Q\xc3\xa4"})
    EXPECT_EQ(from_base64url(odd), std::nullopt) << odd;
}

}  // namespace
}  // namespace chat::test
