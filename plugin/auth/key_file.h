// The keys for tokens, from the one file that an operator named.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin/auth/key.h"

namespace chat {

struct KeySource {
  enum class Kind : std::uint8_t { kNone, kPublicKeys, kSecret, kJwks };
  Kind kind = Kind::kNone;
  std::string path;
};

inline constexpr std::size_t kKeysMax = 16;  // each may have to be tried for one token, on the broker's thread

struct KeyRing {
  std::vector<VerifyKey> keys;        // 1 to kKeysMax
  std::vector<std::string> warnings;  // sentences for the log
};

// Reads a small local file. An empty answer: all is well; else a sentence that names the file and what is wrong, never
// what is in it; `*ring` is then as it was.
//   kPublicKeys  one or several "PUBLIC KEY" blocks in PEM; text between them is passed over
//   kSecret      the first line, as it stands, without its line end
//   kJwks        see read_jwks()
// A file with a secret that everybody on the machine may read is taken with a warning: it may be mounted by a
// container's keeper, which leaves no choice.
std::string load_keys(const KeySource& source, KeyRing* ring);

}  // namespace chat
