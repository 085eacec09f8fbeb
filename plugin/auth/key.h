// A key that tells whether a token was signed by who it should be. A key knows the one algorithm that it is for: what a
// token says of itself never chooses how it is checked.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace chat {

enum class Algorithm : std::uint8_t { kHs256, kRs256, kEs256, kEdDsa };

inline constexpr std::string_view kAlgorithmNames = "HS256, RS256, ES256 and EdDSA";

// As a token's header writes it, "RS256"; case matters there.
std::string_view algorithm_name(Algorithm algorithm);
std::optional<Algorithm> algorithm_of(std::string_view name);

// A token whose three parts are canonical base64url.
struct SignedText {
  std::string whole;
  std::size_t signed_bytes = 0;  // the first so many of `whole`: header and payload with the dot between
  std::string signature;         // decoded
};

using PublicKey = std::shared_ptr<EVP_PKEY>;

// Copied freely, never changed. Any thread.
class VerifyKey {
 public:
  // The shared secret of HS256. nullopt: `*why` is what is wrong with it (a phrase, without the secret): shorter than
  // the 32 bytes that the algorithm asks for, or a key in PEM, which is public where it stands.
  static std::optional<VerifyKey> of_secret(std::string secret, std::string id, std::string* why);
  // RSA of 2048 to 8192 bits (RS256), the curve P-256 (ES256), Ed25519 (EdDSA). nullopt: `*why` is a phrase.
  static std::optional<VerifyKey> of_public(PublicKey key, std::string id, std::string* why);

  Algorithm algorithm() const { return algorithm_; }
  const std::string& id() const { return id_; }  // "kid"; empty: it has none

  const std::string& fingerprint() const { return fingerprint_; }  // tells it from all others; holds no secret

  // Whether this key's owner signed it, by this key's algorithm. Leaves nothing in OpenSSL's queue of errors.
  bool verifies(const SignedText& token) const;

 private:
  VerifyKey(Algorithm algorithm, std::string id, std::string material, PublicKey key);
  bool verifies_by_openssl(const SignedText& token) const;
  bool verifies_by_libjwt(const SignedText& token) const;

  Algorithm algorithm_;
  std::string id_;
  std::string material_;  // what libjwt takes: the secret, or the public key in PEM
  std::string fingerprint_;
  PublicKey key_;  // what OpenSSL takes: null with a secret
};

}  // namespace chat
