#include "plugin/auth/token_checker.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "plugin/auth/token.h"
#include "plugin/core/refusal.h"
#include "storage/names.h"

namespace chat {
namespace {

using nlohmann::json;

constexpr double kLatestSecond = 1e11;  // in the year 5138; a time beyond is one in milliseconds, written by mistake

// A claim that is a time, in milliseconds (RFC 7519 allows fractions of a second).
std::optional<TimeMs> time_of(const json& value) {
  if (!value.is_number()) return std::nullopt;
  const double seconds = value.get<double>();
  if (!(seconds >= 0 && seconds <= kLatestSecond)) return std::nullopt;
  return static_cast<TimeMs>(seconds * 1000);
}

std::string seconds_text(TimeMs ms) {
  return std::to_string((ms + 999) / 1000) + " s";
}

std::string check_end(const json& claims, TimeMs leeway, TimeMs now, TimeMs* ends_at) {
  const auto claim = claims.find("exp");
  if (claim == claims.end()) return "it has no \"exp\": a token must end";
  const auto end = time_of(*claim);
  if (!end) return "its \"exp\" is no number of seconds since 1970";
  *ends_at = *end + leeway;
  return now < *ends_at ? std::string() : "its \"exp\" passed " + seconds_text(now - *end) + " ago";
}

std::string check_start(const json& claims, TimeMs leeway, TimeMs now) {
  const auto claim = claims.find("nbf");
  if (claim == claims.end()) return {};
  const auto start = time_of(*claim);
  if (!start) return "its \"nbf\" is no number of seconds since 1970";
  return now + leeway >= *start ? std::string() : "its \"nbf\" is " + seconds_text(*start - now) + " ahead";
}

std::string check_issuer(const json& claims, const std::string& issuer) {
  if (issuer.empty()) return {};
  const auto claim = claims.find("iss");
  if (claim == claims.end() || !claim->is_string()) return "it has no \"iss\", which must be " + in_quotes(issuer);
  return *claim == issuer ? std::string()
                          : "its \"iss\" is " + in_quotes(claim->get<std::string>()) + ", not " + in_quotes(issuer);
}

// RFC 7519, section 4.1.3: who does not find itself in an "aud" that is there must not take the token.
std::string check_audience(const json& claims, const std::string& audience) {
  const auto claim = claims.find("aud");
  if (audience.empty())
    return claim == claims.end() ? std::string() : "it has an \"aud\", and this broker has no jwt_audience to be it";
  if (claim == claims.end()) return "it has no \"aud\", which must be or hold " + in_quotes(audience);
  const bool meant =
      claim->is_array() ? std::find(claim->begin(), claim->end(), audience) != claim->end() : *claim == audience;
  return meant ? std::string() : "its \"aud\" is not " + in_quotes(audience);
}

std::string check_user(const json& claims, std::string_view user, const std::string& never) {
  const auto claim = claims.find("sub");
  if (claim == claims.end() || !claim->is_string()) return "it has no \"sub\", the user that it is for";
  const auto& subject = claim->get_ref<const std::string&>();
  if (user.empty()) return "the client gave no user name; it must be the token's \"sub\", " + in_quotes(subject);
  if (subject != user) return "its \"sub\" is " + in_quotes(subject) + ", which is not the user name that was given";
  if (!valid_user_name(subject)) return "its \"sub\" is no user name of the chat";
  return subject == never ? "nobody is the bridge by a token" : std::string();
}

// The keys that the token may have been signed with; empty: `*why` is a phrase.
std::vector<const VerifyKey*> candidates(const std::vector<VerifyKey>& keys, const Token& token, std::string* why) {
  const auto algorithm = algorithm_of(token.algorithm);
  if (!algorithm) {
    *why = "its \"alg\" is " + in_quotes(token.algorithm) + ", and only " + std::string(kAlgorithmNames) + " are taken";
    return {};
  }
  std::vector<const VerifyKey*> found;
  bool any = false;
  for (const auto& key : keys) {
    if (key.algorithm() != *algorithm) continue;
    any = true;
    if (!token.key_id || key.id().empty() || key.id() == *token.key_id) found.push_back(&key);
  }
  if (!any) *why = "its \"alg\" is " + in_quotes(token.algorithm) + ", and this broker has no key for that";
  if (any && found.empty()) *why = "its \"kid\" is " + in_quotes(*token.key_id) + ", and this broker has no such key";
  return found;
}

}  // namespace

TokenChecker::TokenChecker(std::vector<VerifyKey> keys, TokenRules rules)
    : keys_(std::move(keys)), rules_(std::move(rules)) {}

bool TokenChecker::has_key(std::string_view fingerprint) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const VerifyKey& key) { return key.fingerprint() == fingerprint; });
}

TokenVerdict TokenChecker::check(std::string_view token, std::string_view user, TimeMs now) const {
  TokenVerdict verdict;
  const auto read = read_token(token, &verdict.refusal);
  if (!read) return verdict;
  const auto keys = candidates(keys_, *read, &verdict.refusal);
  if (keys.empty()) return verdict;
  const auto signer =
      std::find_if(keys.begin(), keys.end(), [&](const VerifyKey* key) { return key->verifies(read->text); });
  if (signer == keys.end()) {
    verdict.refusal = "its signature is not of a key of this broker";
    return verdict;
  }
  verdict.key = (*signer)->fingerprint();
  const auto claims = json::parse(read->payload, nullptr, false);
  if (!claims.is_object()) {
    verdict.refusal = "its payload is no JSON object";
    return verdict;
  }
  verdict.refusal = check_end(claims, rules_.leeway_ms, now, &verdict.ends_at);
  if (verdict.refusal.empty()) verdict.refusal = check_start(claims, rules_.leeway_ms, now);
  if (verdict.refusal.empty()) verdict.refusal = check_issuer(claims, rules_.issuer);
  if (verdict.refusal.empty()) verdict.refusal = check_audience(claims, rules_.audience);
  if (verdict.refusal.empty()) verdict.refusal = check_user(claims, user, rules_.never_user);
  return verdict;
}

}  // namespace chat
