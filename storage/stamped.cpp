#include "storage/stamped.h"

#include <charconv>
#include <iterator>

namespace chat {
namespace {

constexpr std::string_view kConv = "{\"conv\":\"";
constexpr std::string_view kSeq = "\",\"seq\":";

void append_number(std::int64_t number, std::string* out) {
  char digits[24];
  const auto result = std::to_chars(std::begin(digits), std::end(digits), number);
  out->append(digits, result.ptr);
}

void append_uuid(const Uuid& uuid, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out->push_back('-');
    out->push_back(kHex[uuid[i] >> 4]);
    out->push_back(kHex[uuid[i] & 0x0F]);
  }
}

}  // namespace

std::string stamped(std::string_view conv, Seq seq, TimeMs server_time, std::string_view sender, const Uuid& mid,
                    std::string_view payload) {
  std::string out;
  out.reserve(payload.size() + conv.size() + sender.size() + 144);  // the fields' names, a UUID and two numbers
  out.append(kConv).append(conv).append(kSeq);
  append_number(seq, &out);
  out.append(",\"server_time\":");
  append_number(server_time, &out);
  out.append(",\"from\":\"").append(sender).append("\",\"mid\":\"");
  append_uuid(mid, &out);
  out.append("\",").append(payload.substr(1));
  return out;
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
