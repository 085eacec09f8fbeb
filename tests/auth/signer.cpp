#include "tests/auth/signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace chat::test {
namespace {

using nlohmann::json;

void check(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string padded(const BIGNUM* number, int size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  check(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size) == size, "a number's bytes");
  return bytes;
}

std::string number_of(EVP_PKEY* key, const char* name, int size) {
  BIGNUM* number = nullptr;
  check(EVP_PKEY_get_bn_param(key, name, &number) == 1, name);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> owner(number, BN_free);
  return padded(number, size > 0 ? size : BN_num_bytes(number));
}

// r and s as they are, in place of the DER that OpenSSL makes.
std::string joined_numbers(const std::string& der) {
  const auto* begin = bytes_of(der);
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> numbers(
      d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())), ECDSA_SIG_free);
  check(numbers != nullptr, "a signature of two numbers");
  return padded(ECDSA_SIG_get0_r(numbers.get()), 32) + padded(ECDSA_SIG_get0_s(numbers.get()), 32);
}

template <typename Write>
std::string written(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  check(write(memory.get()) == 1, "a key in PEM");
  std::array<char, 8192> text{};
  const int size = BIO_read(memory.get(), text.data(), text.size());
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string to_base64url(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string compact(const std::string& header, const std::string& payload, const std::string& signature) {
  return to_base64url(header) + "." + to_base64url(payload) + "." + to_base64url(signature);
}

Signer::Signer(std::string algorithm, EVP_PKEY* key, std::string secret)
    : algorithm_(std::move(algorithm)), key_(key, EVP_PKEY_free), secret_(std::move(secret)) {
  check(key != nullptr || !secret_.empty(), "a key");
}

Signer Signer::rsa(int bits) {
  return {"RS256", EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits)), {}};
}

Signer Signer::elliptic(const std::string& curve) {
  return {"ES256", EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve.c_str()), {}};
}

Signer Signer::ed25519() {
  return {"EdDSA", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), {}};
}

Signer Signer::secret(std::string bytes) {
  return {"HS256", nullptr, std::move(bytes)};
}

std::string Signer::public_pem() const {
  return written([&](BIO* memory) { return PEM_write_bio_PUBKEY(memory, key_.get()); });
}

std::string Signer::private_pem() const {
  return written([&](BIO* memory) {
    return PEM_write_bio_PKCS8PrivateKey(memory, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

json Signer::jwk(const std::string& id) const {
  json jwk{{"kid", id}, {"alg", algorithm_}, {"use", "sig"}};
  if (key_ == nullptr) {
    jwk.update({{"kty", "oct"}, {"k", to_base64url(secret_)}});
  } else if (algorithm_ == "RS256") {
    jwk.update({{"kty", "RSA"},
                {"n", to_base64url(number_of(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0))},
                {"e", to_base64url(number_of(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0))}});
  } else if (algorithm_ == "ES256") {
    jwk.update({{"kty", "EC"},
                {"crv", "P-256"},
                {"x", to_base64url(number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32))},
                {"y", to_base64url(number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32))}});
  } else {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    check(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) == 1, "raw key");
    jwk.update({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", to_base64url(raw)}});
  }
  return jwk;
}

std::string Signer::sign(const std::string& text) const {
  std::string signature(1024, '\0');
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  std::size_t size = signature.size();
  if (key_ == nullptr) {
    unsigned int hashed = 0;
    check(HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), bytes_of(text), text.size(), out,
               &hashed) != nullptr,
          "HMAC");
    size = hashed;
  } else {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const auto* digest = algorithm_ == "EdDSA" ? nullptr : EVP_sha256();
    check(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1, "signing");
    check(EVP_DigestSign(context.get(), out, &size, bytes_of(text), text.size()) == 1, "signing");
  }
  signature.resize(size);
  return algorithm_ == "ES256" ? joined_numbers(signature) : signature;
}

std::string Signer::token_of(const std::string& header, const std::string& payload) const {
  const auto text = to_base64url(header) + "." + to_base64url(payload);
  return text + "." + to_base64url(sign(text));
}

std::string Signer::token(const json& claims, const json& header) const {
  json whole{{"alg", algorithm_}, {"typ", "JWT"}};
  whole.update(header);
  return token_of(whole.dump(), claims.dump());
}

}  // namespace chat::test
