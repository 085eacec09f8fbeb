// A set of keys in JSON (RFC 7517, RFC 8037): what identity providers publish as their "JWKS".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/auth/key.h"

namespace chat {

// The keys of `{"keys":[…]}` are added to `*keys`. Keys for something else (encryption, other algorithms or curves) are
// passed over, each with a sentence in `*passed_over`. An empty answer: all is well; else a phrase, without any key,
// that says why the set can't be used: no set, a key of ours that is broken or weak, or one that is private.
std::string read_jwks(std::string_view text, std::vector<VerifyKey>* keys, std::vector<std::string>* passed_over);

}  // namespace chat
