#include "plugin/core/rewrite.h"

#include <memory>
#include <string>
#include <string_view>

#include "storage/stamped.h"

namespace chat {
namespace {

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
