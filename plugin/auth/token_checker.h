// Whether a token lets somebody in as a certain user, now; and until when. Pure: keys, rules, token, user and time in,
// a verdict out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/auth/key.h"
#include "storage/types.h"

namespace chat {

struct TokenRules {
  std::string issuer;      // `iss` must be this; empty: anybody who has the key
  std::string audience;    // `aud` must be, or hold, this; empty: there must be no `aud`, as it names another service
  TimeMs leeway_ms = 0;    // by how much clocks may differ: `nbf` counts from so much earlier, `exp` ends so much later
  std::string never_user;  // nobody gets in by a token as this user
};

struct TokenVerdict {
  std::string refusal;  // why not: a phrase without the token, "its exp passed 3 s ago"; empty: it is good
  std::string key;      // of a good one: the fingerprint of the key that it was signed with
  TimeMs ends_at = 0;   // of a good one: from this moment of the wall clock on it is not
};

// Immutable. The first thing that is wrong is what is told, and what the token claims is looked at only after its
// signature.
class TokenChecker {
 public:
  TokenChecker(std::vector<VerifyKey> keys, TokenRules rules);

  bool has_key(std::string_view fingerprint) const;
  TokenVerdict check(std::string_view token, std::string_view user, TimeMs now) const;

 private:
  std::vector<VerifyKey> keys_;
  TokenRules rules_;
};

}  // namespace chat
