// `message.delete` {"conv","seqs"} or {"conv","to"}: gone for the one who asks, and for nobody else.
#include <limits>

#include "bridge/handlers/change.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"

namespace chat {
namespace {

std::vector<Seq> seqs_of(const Fields& fields) {
  constexpr char kWhat[] = "numbers of messages";
  const auto& value = *fields.find("seqs");
  if (!value.is_array() || value.empty()) throw fields.wrong("seqs", std::string("an array of ") + kWhat);
  if (value.size() > kDeletedAtOnceMax) {
    throw StoreRefused("bad_field", "the field seqs holds " + std::to_string(value.size()) +
                                        " numbers, and must hold at most " + std::to_string(kDeletedAtOnceMax));
  }
  std::vector<Seq> seqs;
  for (const auto& entry : value) {
    const auto seq = whole_number(entry, 1, std::numeric_limits<Seq>::max());
    if (!seq) throw wrong_inside("seqs", entry, kWhat);
    seqs.push_back(*seq);
  }
  return seqs;
}

}  // namespace

Handler message_delete(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto conv = fields.conversation();
    if (fields.has("seqs") == fields.has("to")) throw fields.wrong("seqs", "there, or else to, and not both");
    const auto to = fields.has("to") ? fields.seq("to") : 0;
    const auto seqs = to == 0 ? seqs_of(fields) : std::vector<Seq>();
    return change_once(services, request, [&](RequestChanges& changes) {
      if (to != 0) {
        changes.delete_up_to(conv, to);
      } else {
        changes.delete_messages(conv, seqs);
      }
      return nlohmann::ordered_json::object();
    });
  };
}

}  // namespace chat
