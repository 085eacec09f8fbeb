// Who signs tokens, as an identity provider does: with keys made for the test, by OpenSSL and not by what is tested.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace chat::test {

std::string to_base64url(const std::string& bytes);

// header.payload.signature, of whatever bytes.
std::string compact(const std::string& header, const std::string& payload, const std::string& signature);

class Signer {
 public:
  static Signer rsa(int bits = 2048);
  static Signer elliptic(const std::string& curve = "P-256");
  static Signer ed25519();
  static Signer secret(std::string bytes);

  const std::string& algorithm() const { return algorithm_; }
  std::string public_pem() const;
  std::string private_pem() const;
  nlohmann::json jwk(const std::string& id) const;  // public; of a secret: the secret

  // The signature's bytes, as a token has them.
  std::string sign(const std::string& text) const;
  // A token with these claims; what `header` has goes over {"alg","typ"}.
  std::string token(const nlohmann::json& claims, const nlohmann::json& header = nlohmann::json::object()) const;
  // The same, of any bytes.
  std::string token_of(const std::string& header, const std::string& payload) const;

 private:
  Signer(std::string algorithm, EVP_PKEY* key, std::string secret);

  std::string algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
  std::string secret_;
};

}  // namespace chat::test
