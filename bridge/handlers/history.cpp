// `history` {"conv","before"?,"after"?,"limit"?,"order"?}: the messages between two numbers, either end excluded, read
// from the newest or from the oldest on.
#include <limits>

#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/handlers/rows.h"
#include "bridge/rpc/fields.h"

namespace chat {
namespace {

bool newest_first(const Fields& fields, bool unless_said) {
  if (!fields.has("order")) return unless_said;
  const auto order = fields.text("order", 16);
  if (order != "newest" && order != "oldest") throw fields.wrong("order", "newest or oldest");
  return order == "newest";
}

// By seq, beside the messages, whose bytes are not changed. Counts only where not all who reacted are named.
void add_reactions(const std::vector<ReactionRow>& reactions, nlohmann::ordered_json* answer) {
  for (const auto& row : reactions) {
    const auto seq = std::to_string(row.seq);
    (*answer)["reactions"][seq][row.emoji] = row.users;
    if (row.count > static_cast<std::int64_t>(row.users.size())) {
      (*answer)["reaction_counts"][seq][row.emoji] = row.count;
    }
  }
}

}  // namespace

Handler history(const Services& services) {
  return [services](const Request& request) {
    constexpr auto kEnd = std::numeric_limits<Seq>::max();
    const Fields fields(request.fields);
    const auto conv = fields.conversation();
    const auto before = fields.optional_number("before", 1, kEnd);
    const auto after = fields.optional_number("after", 0, kEnd - 1);
    const int limit = fields.limit(kPageUsual, kHistoryMost);
    const bool newest = newest_first(fields, !after || before.has_value());

    const auto seat = services.requests->seat(conv, request.user);
    const SeqRange range{seat.conv_id, after.value_or(0) + 1, before.value_or(kEnd) - 1};
    const auto page =
        services.requests->messages(request.user, std::span(&range, 1), newest, limit, kAnswerBytes, services.now());
    std::vector<Seq> seqs;
    for (const auto& message : page.rows) seqs.push_back(message.seq);
    nlohmann::ordered_json answer{{"conv", conv}, {"more", page.more}};
    add_reactions(services.requests->reactions(seat.conv_id, seqs), &answer);
    return Reply::success(std::move(answer), messages_member(page.rows));
  };
}

}  // namespace chat
