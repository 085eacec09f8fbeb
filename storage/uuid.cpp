#include "storage/uuid.h"

namespace chat {
namespace {

constexpr std::size_t kTextLength = 36;
constexpr bool hyphen_at(std::size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string uuid_text(const Uuid& uuid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kTextLength, '-');
  std::size_t at = 0;
  for (const auto byte : uuid) {
    if (hyphen_at(at)) ++at;
    text[at++] = kDigits[byte >> 4U];
    text[at++] = kDigits[byte & 15U];
  }
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  Uuid uuid{};
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (hyphen_at(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = digit_value(text[i]);
    if (value < 0) return std::nullopt;
    auto& byte = uuid[digits / 2];
    byte = static_cast<std::uint8_t>((byte << 4U) | static_cast<unsigned>(value));
    ++digits;
  }
  return uuid;
}

}  // namespace chat
