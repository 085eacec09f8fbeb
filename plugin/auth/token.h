// A JSON Web Token in its compact form, taken apart: header, payload, signature. Nothing in it is believed here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugin/auth/key.h"

namespace chat {

inline constexpr std::size_t kTokenBytesMax = 16'384;

// Whether a password means to be a token: three parts with dots between, of which the first says that it is a JSON
// object. What doesn't is somebody's password, and none of our business. A broken or forged token is one nevertheless.
bool looks_like_token(std::string_view password);

struct Token {
  SignedText text;
  std::string algorithm;              // as the header names it
  std::optional<std::string> key_id;  // its "kid"
  std::string payload;                // decoded bytes
};

// nullopt: `*why` is a phrase, without anything of the token that could be of use to somebody.
std::optional<Token> read_token(std::string_view password, std::string* why);

}  // namespace chat
