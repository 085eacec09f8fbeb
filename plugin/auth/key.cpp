#include "plugin/auth/key.h"

#include <jwt.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <utility>

#include "plugin/auth/digest.h"

namespace chat {
namespace {

constexpr std::size_t kSecretBytesMin = 32;  // RFC 7518, section 3.2: as long as the hash
constexpr int kRsaBitsMin = 2048;            // RFC 7518, section 3.3
constexpr int kRsaBitsMax = 8192;            // larger ones take milliseconds, on the broker's thread

struct Named {
  Algorithm algorithm;
  std::string_view name;
};
constexpr std::array kNames{Named{Algorithm::kHs256, "HS256"}, Named{Algorithm::kRs256, "RS256"},
                            Named{Algorithm::kEs256, "ES256"}, Named{Algorithm::kEdDsa, "EdDSA"}};

// What a failed check leaves in OpenSSL's queue belongs to this thread, which is the broker's: Mosquitto would take it
// for an error of the next TLS connection that it reads from, and close that.
struct NoErrorsLeft {
  NoErrorsLeft() = default;
  ~NoErrorsLeft() { ERR_clear_error(); }
  NoErrorsLeft(const NoErrorsLeft&) = delete;
  NoErrorsLeft& operator=(const NoErrorsLeft&) = delete;
};

std::string pem_of(EVP_PKEY* key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  if (memory == nullptr || PEM_write_bio_PUBKEY(memory.get(), key) != 1) return {};
  const char* text = nullptr;
  const auto size = BIO_ctrl(memory.get(), BIO_CTRL_INFO, 0, &text);
  return {text, static_cast<std::size_t>(size)};
}

std::optional<Algorithm> algorithm_for(EVP_PKEY* key, std::string* why) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits >= kRsaBitsMin && bits <= kRsaBitsMax) return Algorithm::kRs256;
    *why = "an RSA key of " + std::to_string(bits) + " bits, and only " + std::to_string(kRsaBitsMin) + " to " +
           std::to_string(kRsaBitsMax) + " are taken";
    return std::nullopt;
  }
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return Algorithm::kEdDsa;
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    std::array<char, 64> group{};
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
        std::string_view(group.data()) == "prime256v1")
      return Algorithm::kEs256;
    *why = "an elliptic curve key of the curve \"" + std::string(group.data()) + "\", and only P-256 is taken";
    return std::nullopt;
  }
  const char* type = EVP_PKEY_get0_type_name(key);
  *why = "a key of the kind \"" + std::string(type != nullptr ? type : "unknown") +
         "\", and only RSA, P-256 and Ed25519 are taken";
  return std::nullopt;
}

}  // namespace

std::string_view algorithm_name(Algorithm algorithm) {
  for (const auto& named : kNames) {
    if (named.algorithm == algorithm) return named.name;
  }
  return {};
}

std::optional<Algorithm> algorithm_of(std::string_view name) {
  for (const auto& named : kNames) {
    if (named.name == name) return named.algorithm;
  }
  return std::nullopt;
}

VerifyKey::VerifyKey(Algorithm algorithm, std::string id, std::string material, PublicKey key)
    : algorithm_(algorithm),
      id_(std::move(id)),
      material_(std::move(material)),
      fingerprint_(sha256(std::string(algorithm_name(algorithm)) + " " + material_)),
      key_(std::move(key)) {}

std::optional<VerifyKey> VerifyKey::of_secret(std::string secret, std::string id, std::string* why) {
  if (secret.find("-----BEGIN") != std::string::npos) {
    *why = "a key in PEM, which can't be a shared secret: whoever knows it could sign";
    return std::nullopt;
  }
  if (secret.size() < kSecretBytesMin) {
    *why = "a secret of " + std::to_string(secret.size()) + " bytes, and HS256 takes at least " +
           std::to_string(kSecretBytesMin);
    return std::nullopt;
  }
  return VerifyKey(Algorithm::kHs256, std::move(id), std::move(secret), nullptr);
}

std::optional<VerifyKey> VerifyKey::of_public(PublicKey key, std::string id, std::string* why) {
  const NoErrorsLeft guard;
  const auto algorithm = algorithm_for(key.get(), why);
  if (!algorithm) return std::nullopt;
  auto pem = pem_of(key.get());
  if (pem.empty()) {
    *why = "a key that OpenSSL can't write";
    return std::nullopt;
  }
  return VerifyKey(*algorithm, std::move(id), std::move(pem), std::move(key));
}

bool VerifyKey::verifies(const SignedText& token) const {
  const NoErrorsLeft guard;
  return algorithm_ == Algorithm::kEdDsa ? verifies_by_openssl(token) : verifies_by_libjwt(token);
}

bool VerifyKey::verifies_by_libjwt(const SignedText& token) const {
  // libjwt goes by the algorithm that the token names. The caller compared that with ours; and so do we, with what
  // libjwt read.
  jwt_t* decoded = nullptr;
  const int result = jwt_decode(&decoded, token.whole.c_str(), reinterpret_cast<const unsigned char*>(material_.data()),
                                static_cast<int>(material_.size()));
  if (result != 0) return false;
  const std::unique_ptr<jwt_t, decltype(&jwt_free)> owner(decoded, jwt_free);
  switch (jwt_get_alg(decoded)) {
    case JWT_ALG_HS256:
      return algorithm_ == Algorithm::kHs256;
    case JWT_ALG_RS256:
      return algorithm_ == Algorithm::kRs256;
    case JWT_ALG_ES256:
      return algorithm_ == Algorithm::kEs256;
    default:
      return false;
  }
}

// Ed25519, which no libjwt that Debian has knows of.
bool VerifyKey::verifies_by_openssl(const SignedText& token) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (context == nullptr || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1)
    return false;
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  return EVP_DigestVerify(context.get(), bytes(token.signature), token.signature.size(), bytes(token.whole),
                          token.signed_bytes) == 1;
}

}  // namespace chat
