#include "storage/stamped.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace chat {
namespace {

constexpr std::string_view kConv = "{\"conv\":\"";
constexpr std::string_view kSeq = "\",\"seq\":";
constexpr std::string_view kServerTime = ",\"server_time\":";
constexpr std::string_view kFrom = ",\"from\":\"";
constexpr std::string_view kMid = "\",\"mid\":\"";
constexpr std::string_view kClient = "\",";
constexpr std::size_t kNumberMost = 20;  // digits and sign of 64 bits
constexpr std::size_t kUuidText = 36;

// Inlined, what is known when this is compiled becomes a few moves in place of a call.
[[gnu::always_inline]] inline char* put(char* to, std::string_view text) {
  return std::copy(text.begin(), text.end(), to);
}

char* put(char* to, std::int64_t number) {
  return std::to_chars(to, to + kNumberMost, number).ptr;
}

// Each byte's two digits.
constexpr auto kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) pairs[byte] = {kDigits[byte >> 4], kDigits[byte & 0x0F]};
  return pairs;
}();

char* put(char* to, const Uuid& uuid) {
#pragma GCC unroll 16
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    std::memcpy(to, kHexPairs[uuid[i]].data(), 2);
    to += 2;
  }
  return to;
}

}  // namespace

std::size_t stamped_most(std::string_view conv, std::string_view sender, std::string_view payload) {
  return kConv.size() + conv.size() + kSeq.size() + kNumberMost + kServerTime.size() + kNumberMost + kFrom.size() +
         sender.size() + kMid.size() + kUuidText + kClient.size() + payload.size();
}

char* stamp(char* to, std::string_view conv, Seq seq, TimeMs server_time, std::string_view sender, const Uuid& mid,
            std::string_view payload) {
  to = put(put(put(put(to, kConv), conv), kSeq), seq);
  to = put(put(to, kServerTime), server_time);
  to = put(put(put(to, kFrom), sender), kMid);
  return put(put(put(to, mid), kClient), payload.substr(1));
}

std::string stamped(std::string_view conv, Seq seq, TimeMs server_time, std::string_view sender, const Uuid& mid,
                    std::string_view payload) {
  std::string out(stamped_most(conv, sender, payload), '\0');
  const auto* const end = stamp(out.data(), conv, seq, server_time, sender, mid, payload);
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

// Nothing in front of "mid" can hold a quotation mark of its own.
std::string_view stamp_of(std::string_view bytes) {
  const auto mid = bytes.find(kMid);
  const auto end = mid + kMid.size() + kUuidText + kClient.size();
  return mid == std::string_view::npos || end > bytes.size() ? std::string_view() : bytes.substr(0, end);
}

bool read_stamp(std::string_view bytes, std::string_view* conv, Seq* seq) {
  if (!bytes.starts_with(kConv)) return false;
  bytes.remove_prefix(kConv.size());
  const auto quote = bytes.find('"');
  if (quote == std::string_view::npos) return false;
  *conv = bytes.substr(0, quote);
  bytes.remove_prefix(quote);
  if (!bytes.starts_with(kSeq)) return false;
  bytes.remove_prefix(kSeq.size());
  const auto result = std::from_chars(bytes.data(), bytes.data() + bytes.size(), *seq);
  return result.ec == std::errc{} && result.ptr != bytes.data() + bytes.size() && *result.ptr == ',';
}

}  // namespace chat
