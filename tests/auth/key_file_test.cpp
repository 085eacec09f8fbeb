// Which files of keys are taken, and what is said of the others.
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <filesystem>
#include <vector>

#include "plugin/auth/key_file.h"
#include "tests/auth/folder.h"
#include "tests/auth/signers.h"

namespace chat::test {
namespace {

using nlohmann::json;
using Kind = KeySource::Kind;

class KeyFile : public ::testing::Test {
 protected:
  std::string load(Kind kind, const std::string& contents) {
    path_ = folder_.file("keys", contents);
    ring_ = {};
    return load_keys({.kind = kind, .path = path_}, &ring_);
  }

  // The sentence names the file and the reason, and OpenSSL's queue is left empty.
  void expect_refused(Kind kind, const std::string& contents, const std::string& why) {
    const auto said = load(kind, contents);
    EXPECT_NE(said.find(why), std::string::npos) << "said \"" << said << "\" and not \"" << why << "\"";
    EXPECT_NE(said.find(path_), std::string::npos) << said;
    EXPECT_TRUE(ring_.keys.empty());
    EXPECT_EQ(ERR_peek_error(), 0U);
  }

  static std::string set(const std::vector<json>& keys) {
    auto all = json::array();
    for (const auto& key : keys) all.push_back(key);
    return json{{"keys", all}}.dump();
  }

  KeyFolder folder_;
  std::string path_;
  KeyRing ring_;
};

TEST_F(KeyFile, InPemMayHoldSeveralPublicKeysWithTextBetween) {
  ASSERT_EQ(load(Kind::kPublicKeys, "# of this year\n" + rsa().public_pem() + "\nof the next\n" + p256().public_pem() +
                                        ed25519().public_pem()),
            "");
  ASSERT_EQ(ring_.keys.size(), 3U);
  EXPECT_EQ(ring_.keys[0].algorithm(), Algorithm::kRs256);
  EXPECT_EQ(ring_.keys[1].algorithm(), Algorithm::kEs256);
  EXPECT_EQ(ring_.keys[2].algorithm(), Algorithm::kEdDsa);
  EXPECT_TRUE(ring_.warnings.empty());
}

TEST_F(KeyFile, InPemHoldsNothingElse) {
  const auto pem = rsa().public_pem();
  expect_refused(Kind::kPublicKeys, rsa().private_pem(), "a private key");
  expect_refused(Kind::kPublicKeys, pem + ed25519().private_pem(), "a private key");
  // The older forms of either.
  for (const std::string name : {"RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"}) {
    const auto block = "-----BEGIN " + name + "-----\nAAAA\n-----END " + name + "-----\n";
    expect_refused(Kind::kPublicKeys, block, "a private key");
  }
  expect_refused(Kind::kPublicKeys, "-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n",
                 "a block \"RSA PUBLIC KEY\"");
  expect_refused(Kind::kPublicKeys, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "CERTIFICATE");
  expect_refused(Kind::kPublicKeys, "a secret of at least thirty-two bytes\n", "no key for");
  expect_refused(Kind::kPublicKeys, set({rsa().jwk("a")}), "no key for");
  expect_refused(Kind::kPublicKeys, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "broken");
  expect_refused(Kind::kPublicKeys, pem.substr(0, pem.size() / 2), "broken");
  expect_refused(Kind::kPublicKeys, pem + pem.substr(0, pem.size() / 2), "broken");
  expect_refused(Kind::kPublicKeys, "", "empty");
}

TEST_F(KeyFile, TakesOnlyStrongKeysOfTheAlgorithmsThatItKnows) {
  expect_refused(Kind::kPublicKeys, Signer::rsa(1024).public_pem(), "1024 bits");
  expect_refused(Kind::kPublicKeys, Signer::elliptic("P-384").public_pem(), "secp384r1");
  expect_refused(Kind::kPublicKeys, Signer::elliptic("secp256k1").public_pem(), "secp256k1");
}

TEST_F(KeyFile, ASecretIsTheFirstLineAndLongEnough) {
  ASSERT_EQ(load(Kind::kSecret, std::string(32, 's') + "\r\nnot this"), "");
  ASSERT_EQ(ring_.keys.size(), 1U);
  EXPECT_EQ(ring_.keys[0].algorithm(), Algorithm::kHs256);
  expect_refused(Kind::kSecret, std::string(31, 's') + "\n", "31 bytes");
  expect_refused(Kind::kSecret, std::string(31, 's') + "\r\n", "31 bytes");
  expect_refused(Kind::kSecret, "\n" + std::string(32, 's'), "0 bytes");
  EXPECT_EQ(load(Kind::kSecret, "hunter2").find("hunter2"), std::string::npos) << "the secret is repeated";
}

TEST_F(KeyFile, APublicKeyIsNoSecret) {
  expect_refused(Kind::kSecret, rsa().public_pem(), "PEM");
}

TEST_F(KeyFile, WithASecretThatAllMayReadIsTakenWithAWarning) {
  ASSERT_EQ(load(Kind::kSecret, std::string(40, 's')), "");
  EXPECT_TRUE(ring_.warnings.empty());
  std::filesystem::permissions(path_, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  ASSERT_EQ(load_keys({.kind = Kind::kSecret, .path = path_}, &ring_), "");
  ASSERT_EQ(ring_.warnings.size(), 1U);
  EXPECT_NE(ring_.warnings[0].find("chmod 600"), std::string::npos);
  ASSERT_EQ(load_keys({.kind = Kind::kPublicKeys, .path = folder_.file("pem", rsa().public_pem())}, &ring_), "");
  EXPECT_TRUE(ring_.warnings.empty());
}

TEST_F(KeyFile, OfAKeySetHoldsEachKind) {
  ASSERT_EQ(load(Kind::kJwks, set({rsa().jwk("a"), p256().jwk("b"), ed25519().jwk("c"), shared_secret().jwk("d")})),
            "");
  ASSERT_EQ(ring_.keys.size(), 4U);
  EXPECT_EQ(ring_.keys[0].id(), "a");
  EXPECT_EQ(ring_.keys[3].algorithm(), Algorithm::kHs256);
}

TEST_F(KeyFile, OfAKeySetPassesOverWhatIsForSomethingElseAndSaysSo) {
  auto encrypting = rsa().jwk("enc");
  encrypting["use"] = "enc";
  auto longer = rsa().jwk("long");
  longer["alg"] = "RS512";
  auto signing = p256().jwk("signs");
  signing["key_ops"] = {"sign"};
  auto other_curve = p256().jwk("p384");
  other_curve["crv"] = "P-384";
  auto unknown = rsa().jwk("new");
  unknown["kty"] = "LATTICE";
  ASSERT_EQ(load(Kind::kJwks, set({encrypting, longer, signing, other_curve, unknown, ed25519().jwk("ours")})), "");
  ASSERT_EQ(ring_.keys.size(), 1U);
  EXPECT_EQ(ring_.keys[0].id(), "ours");
  ASSERT_EQ(ring_.warnings.size(), 5U);
  EXPECT_NE(ring_.warnings[1].find("RS512"), std::string::npos);
  expect_refused(Kind::kJwks, set({encrypting, longer}), "no key for");
}

TEST_F(KeyFile, OfAKeySetWithABrokenKeyOfOursIsRefusedWhole) {
  const auto with = [](json jwk, const char* field, const json& value) {
    jwk[field] = value;
    return jwk;
  };
  const auto lacking = [](json jwk, const char* field) {
    jwk.erase(field);
    return jwk;
  };
  for (const auto& broken :
       {with(rsa().jwk("k"), "n", "AQAB"), with(rsa().jwk("k"), "n", "not base64!"), lacking(rsa().jwk("k"), "e"),
        with(rsa().jwk("k"), "n", 5), with(p256().jwk("k"), "x", to_base64url(std::string(32, '\1'))),
        with(p256().jwk("k"), "y", "AAAA"), lacking(p256().jwk("k"), "y"), with(ed25519().jwk("k"), "x", "AAAA"),
        lacking(ed25519().jwk("k"), "x"), with(shared_secret().jwk("k"), "k", "c2hvcnQ"),
        lacking(shared_secret().jwk("k"), "k"), Signer::secret(rsa().public_pem()).jwk("k")}) {
    expect_refused(Kind::kJwks, set({ed25519().jwk("good"), broken}), "key \"k\" is ");
  }
  expect_refused(Kind::kJwks, set({with(p256().jwk("k"), "d", "AAAA")}), "private key");
}

TEST_F(KeyFile, OfAKeySetIsOne) {
  for (const auto* odd : {"{", "[]", "{}", "5", R"({"keys":{}})", R"({"keys":[5]})", R"({"keys":[{"kid":5}]})",
                          R"({"keys":[]})", "-----BEGIN PUBLIC KEY-----"})
    expect_refused(Kind::kJwks, odd, "can't be used: ");
  std::vector<json> many;
  for (int i = 0; i < 17; ++i) many.push_back(ed25519().jwk(std::to_string(i)));
  expect_refused(Kind::kJwks, set(many), "17 keys, and at most 16");
  expect_refused(Kind::kJwks, set({ed25519().jwk(std::string(300'000, 'x'))}), "larger than 256 KB");
}

TEST_F(KeyFile, ThatIsNotThereIsNamed) {
  for (const std::string path : {"/nonexistent/keys", "/"}) {
    const auto said = load_keys({.kind = Kind::kJwks, .path = path}, &ring_);
    EXPECT_NE(said.find(path + ", can't be used: it can't be read: "), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace chat::test
