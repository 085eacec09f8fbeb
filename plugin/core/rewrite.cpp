#include "plugin/core/rewrite.h"

#include <memory>
#include <string>
#include <string_view>

namespace chat {
namespace {

constexpr std::string_view kMid = "\",\"mid\":\"";
constexpr std::size_t kUuidText = 36;

// The server's fields with the comma behind them. Nothing in front of "mid" can hold a quotation mark of its own.
std::string_view stamp_of(std::string_view delivered) {
  const auto mid = delivered.find(kMid);
  const auto end = mid + kMid.size() + kUuidText + 2;
  return mid == std::string_view::npos || end > delivered.size() ? std::string_view() : delivered.substr(0, end);
}

// The same stamp, and that object in the place of the client's.
void bury(Bytes* bytes, std::string_view object) {
  std::string out(stamp_of(**bytes));
  if (out.empty()) return;
  out.append(object, 1);
  *bytes = Bytes(std::move(out));
}

}  // namespace

void rewrite_bytes(Bytes* bytes, const Rewriting& rewriting) {
  if (!rewriting.recalled) {
    if (auto edited = edited_object(**bytes, rewriting.body, rewriting.at)) *bytes = Bytes(*std::move(edited));
    return;
  }
  bury(bytes, tombstone(rewriting.by, rewriting.at));
}

void expire_bytes(Bytes* bytes) {
  bury(bytes, kExpiredPayload);
}

}  // namespace chat
