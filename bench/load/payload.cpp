#include "bench/load/payload.h"

#include <charconv>

namespace chat::load {
namespace {

constexpr std::size_t kDigits = 9;
constexpr std::string_view kId = "\"id\":\"";
constexpr std::string_view kConv = "{\"conv\":\"";
constexpr std::string_view kSeq = "\",\"seq\":";

template <typename Number>
bool read_number(std::string_view* bytes, Number* number) {
  const auto result = std::from_chars(bytes->data(), bytes->data() + bytes->size(), *number);
  if (result.ec != std::errc{}) return false;
  bytes->remove_prefix(static_cast<std::size_t>(result.ptr - bytes->data()));
  return true;
}

bool skip(std::string_view* bytes, std::string_view what) {
  if (!bytes->starts_with(what)) return false;
  bytes->remove_prefix(what.size());
  return true;
}

}  // namespace

MessageMaker::MessageMaker(std::string_view tag, int sender, std::size_t body_bytes, std::size_t body_most)
    : least_(body_bytes), lengths_(body_most > body_bytes ? body_most - body_bytes + 1 : 1) {
  bytes_ = "{\"id\":\"" + std::string(tag) + "-" + std::to_string(sender) + "-";
  digits_ = bytes_.size();
  bytes_ += std::string(kDigits, '0') + "\",\"body\":\"";
  body_ = bytes_.size();
}

std::string_view MessageMaker::next(std::uint32_t number) {
  // Multiplied by 2^32 over the golden ratio (Knuth, The Art of Computer Programming, 6.4), so that neighbours differ.
  const auto length = least_ + ((number * 2654435769U) >> 16) % lengths_;
  bytes_.resize(body_);
  bytes_.append(length, 'x').append("\"}");
  for (std::size_t at = digits_ + kDigits; at-- > digits_; number /= 10)
    bytes_[at] = static_cast<char>('0' + number % 10);
  return bytes_;
}

bool read_id(std::string_view payload, std::string_view tag, int* sender, std::uint32_t* number) {
  const auto at = payload.find(kId);
  if (at == std::string_view::npos) return false;
  payload.remove_prefix(at + kId.size());
  return skip(&payload, tag) && skip(&payload, "-") && read_number(&payload, sender) && skip(&payload, "-") &&
         read_number(&payload, number);
}

bool read_place(std::string_view payload, std::string_view* conv, std::int64_t* seq) {
  if (!skip(&payload, kConv)) return false;
  const auto quote = payload.find('"');
  if (quote == std::string_view::npos) return false;
  *conv = payload.substr(0, quote);
  payload.remove_prefix(quote);
  return skip(&payload, kSeq) && read_number(&payload, seq);
}

}  // namespace chat::load
