// base64url as tokens and keys are written (RFC 4648, section 5, without padding), in its one canonical form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chat {

// The bytes; nullopt for anything but the canonical text of some bytes: other characters, padding, a length that no
// bytes have, unused bits that are not zero. So two different texts never mean the same bytes, which is why it is our
// own: OpenSSL's and libjwt's decoders pass over much of that. An empty text is no bytes.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace chat
