#include "storage/names.h"

#include <algorithm>
#include <array>
#include <random>

namespace chat {
namespace {

constexpr bool alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
constexpr bool user_character(char c) {
  return alphanumeric(c) || c == '.' || c == '_' || c == '@' || c == '-';
}
bool group_character(char c) {
  return alphanumeric(c) || c == '_' || c == '-';
}

// user_character() of each byte: a user's name is looked at with every publish.
constexpr auto kUserCharacters = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte) table[byte] = user_character(static_cast<char>(byte));
  return table;
}();

constexpr std::string_view kDirectPrefix = "dm:";
constexpr std::string_view kGroupPrefix = "g:";
constexpr std::size_t kGroupIdMax = 64;
constexpr std::size_t kNewGroupIdLength = 16;
constexpr std::string_view kNewGroupAlphabet = "abcdefghijkmnopqrstuvwxyz0123456";  // no l beside 1: people type these
static_assert(kNewGroupAlphabet.size() == 32);

}  // namespace

bool valid_user_name(std::string_view name) {
  return !name.empty() && name.size() <= kUserNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) { return kUserCharacters[static_cast<unsigned char>(c)]; });
}

bool valid_device_name(std::string_view name) {
  return !name.empty() && name.size() <= kDeviceNameMax;
}

bool valid_conversation_name(std::string_view name) {
  if (name.starts_with(kGroupPrefix)) {
    const auto id = name.substr(kGroupPrefix.size());
    return !id.empty() && id.size() <= kGroupIdMax &&
           std::all_of(id.begin(), id.end(), [](char c) { return group_character(c); });
  }
  return direct_users(name).has_value();
}

std::string direct_name(std::string_view one, std::string_view other) {
  if (other < one) std::swap(one, other);
  std::string name;
  name.reserve(kDirectPrefix.size() + one.size() + 1 + other.size());
  name.append(kDirectPrefix).append(one).append(":").append(other);
  return name;
}

std::string new_group_name() {
  std::random_device chance;
  std::string name(kGroupPrefix);
  for (std::size_t i = 0; i < kNewGroupIdLength; ++i)
    name.push_back(kNewGroupAlphabet[chance() % kNewGroupAlphabet.size()]);
  return name;
}

std::optional<std::pair<std::string_view, std::string_view>> direct_users(std::string_view name) {
  if (!name.starts_with(kDirectPrefix)) return std::nullopt;
  name.remove_prefix(kDirectPrefix.size());
  const auto colon = name.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto one = name.substr(0, colon);
  const auto other = name.substr(colon + 1);
  if (!valid_user_name(one) || !valid_user_name(other) || !(one < other)) return std::nullopt;
  return std::pair{one, other};
}

}  // namespace chat
