#include "plugin/auth/jwk.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "plugin/auth/base64url.h"
#include "plugin/core/refusal.h"

namespace chat {
namespace {

using nlohmann::json;

// The text of a field; empty where it isn't there or is no text.
std::string text_of(const json& jwk, const char* name) {
  const auto found = jwk.find(name);
  return found != jwk.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The bytes of a field; empty where it isn't there or is no base64url.
std::string bytes_of(const json& jwk, const char* name) {
  return from_base64url(text_of(jwk, name)).value_or(std::string());
}

PublicKey owned(EVP_PKEY* key) {
  return {key, EVP_PKEY_free};
}

PublicKey from_params(const char* type, OSSL_PARAM_BLD* builder) {
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> params(OSSL_PARAM_BLD_to_param(builder),
                                                                       OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return owned(key);
}

using Builder = std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)>;

PublicKey rsa_key(const json& jwk) {
  const auto n = bytes_of(jwk, "n");
  const auto e = bytes_of(jwk, "e");
  if (n.empty() || e.empty()) return nullptr;
  const auto number = [](const std::string& bytes) {
    return std::unique_ptr<BIGNUM, decltype(&BN_free)>(
        BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr),
        BN_free);
  };
  const auto modulus = number(n);
  const auto exponent = number(e);
  const Builder builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
    return nullptr;
  return from_params("RSA", builder.get());
}

PublicKey p256_key(const json& jwk) {
  constexpr std::size_t kCoordinateBytes = 32;
  const auto x = bytes_of(jwk, "x");
  const auto y = bytes_of(jwk, "y");
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) return nullptr;
  const auto point = "\x04" + x + y;  // both coordinates follow
  const Builder builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return nullptr;
  return from_params("EC", builder.get());  // a point that is not on the curve is none
}

PublicKey ed25519_key(const json& jwk) {
  const auto x = bytes_of(jwk, "x");
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                              reinterpret_cast<const unsigned char*>(x.data()), x.size());
  return key != nullptr ? owned(key) : nullptr;
}

// Which of ours the key would be for; nullopt: none.
std::optional<Algorithm> algorithm_for(const json& jwk) {
  const auto type = text_of(jwk, "kty");
  const auto curve = text_of(jwk, "crv");
  std::optional<Algorithm> algorithm;
  if (type == "oct") algorithm = Algorithm::kHs256;
  if (type == "RSA") algorithm = Algorithm::kRs256;
  if (type == "EC" && curve == "P-256") algorithm = Algorithm::kEs256;
  if (type == "OKP" && curve == "Ed25519") algorithm = Algorithm::kEdDsa;
  return algorithm;
}

// Why the key is for something else; empty: it is for us.
std::string other_purpose(const json& jwk, std::optional<Algorithm> algorithm) {
  if (!algorithm) return "kty " + in_quotes(text_of(jwk, "kty")) + " with crv " + in_quotes(text_of(jwk, "crv"));
  if (jwk.contains("alg") && text_of(jwk, "alg") != algorithm_name(*algorithm))
    return "alg " + in_quotes(text_of(jwk, "alg"));
  if (jwk.contains("use") && text_of(jwk, "use") != "sig") return "use " + in_quotes(text_of(jwk, "use"));
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return {};
  const bool verifies =
      operations->is_array() && std::find(operations->begin(), operations->end(), "verify") != operations->end();
  return verifies ? std::string() : "key_ops without verify";
}

std::optional<VerifyKey> key_of(const json& jwk, Algorithm algorithm, std::string* why) {
  const auto id = text_of(jwk, "kid");
  if (algorithm == Algorithm::kHs256) return VerifyKey::of_secret(bytes_of(jwk, "k"), id, why);
  if (jwk.contains("d")) {
    *why = "a private key: it belongs to who signs, and the broker needs the public one alone";
    return std::nullopt;
  }
  const auto key = algorithm == Algorithm::kRs256   ? rsa_key(jwk)
                   : algorithm == Algorithm::kEs256 ? p256_key(jwk)
                                                    : ed25519_key(jwk);
  ERR_clear_error();
  if (key == nullptr) {
    *why = "a key for " + std::string(algorithm_name(algorithm)) + " whose numbers are missing or wrong";
    return std::nullopt;
  }
  return VerifyKey::of_public(key, id, why);
}

std::string joined(const std::string& one, const char* between, const std::string& other) {
  return one + between + other;
}

std::string not_used(const std::string& which, const std::string& purpose) {
  return which + " is not used: " + purpose + " is not for signatures with " + std::string(kAlgorithmNames);
}

}  // namespace

std::string read_jwks(std::string_view text, std::vector<VerifyKey>* keys, std::vector<std::string>* passed_over) {
  const auto set = json::parse(text, nullptr, false);
  if (set.is_discarded()) return "it is no JSON";
  const auto list = set.find("keys");
  if (!set.is_object() || list == set.end() || !list->is_array()) return "it has no array \"keys\"";
  for (const auto& jwk : *list) {
    if (!jwk.is_object()) return "one of its keys is no object";
    const auto which = "its key " + in_quotes(text_of(jwk, "kid"));
    if (jwk.contains("kid") && !jwk["kid"].is_string()) return "a \"kid\" in it is no text";
    const auto algorithm = algorithm_for(jwk);
    const auto purpose = other_purpose(jwk, algorithm);
    if (!purpose.empty()) {
      passed_over->push_back(not_used(which, purpose));
      continue;
    }
    std::string why;
    auto key = key_of(jwk, *algorithm, &why);
    if (!key) return joined(which, " is ", why);
    keys->push_back(std::move(*key));
  }
  return {};
}

}  // namespace chat
