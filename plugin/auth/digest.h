// A fingerprint by which two secrets can be compared without keeping them.
#pragma once

#include <string>
#include <string_view>

namespace chat {

// 32 bytes.
std::string sha256(std::string_view bytes);

}  // namespace chat
