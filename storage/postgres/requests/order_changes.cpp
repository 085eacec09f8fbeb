// What the broker's plugin is to do: the order is a row of `outgoing`, made in the request's transaction, and the
// plugin recognises one that it is given twice.
#include <nlohmann/json.hpp>
#include <set>

#include "storage/forwarded.h"
#include "storage/names.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/requests/changes.h"
#include "storage/postgres/requests/reading.h"
#include "storage/refusals.h"

namespace chat {
namespace {

constexpr Statement kForwardable{
    "forwardable",
    "SELECT t.sender, t.payload FROM messages t WHERE t.conv_id = $1 AND t.seq = $2 AND t.recalled_at IS NULL "
    "AND NOT chat_expired(t.server_time, t.ttl_s, $4) AND NOT EXISTS (SELECT FROM hidden_messages h "
    "WHERE h.user_name = $3 AND h.conv_id = $1 AND h.seq = $2)"};

// The worker that publishes it listens for commands.
constexpr Statement kOrder{"order",
                           "WITH told AS MATERIALIZED (SELECT pg_notify('chat_commands', '')) "
                           "INSERT INTO outgoing (user_name, leaf, payload) SELECT $1, $2, $3 FROM told"};

constexpr Statement kForgetDevice{"forget_device",
                                  "WITH cursors AS (DELETE FROM device_cursors WHERE user_name = $1 AND device = $2) "
                                  "DELETE FROM devices WHERE user_name = $1 AND device = $2"};

}  // namespace

std::vector<ForwardedTo> PostgresChanges::forward_message(const std::string& conv, Seq seq,
                                                          std::span<const std::string> to, bool contacts_only) {
  const auto seat = read_seat(session_, transaction_, conv, user_);
  const auto found = session_.exec(transaction_, kForwardable, seat.conv_id, seq, user_, now_);
  if (seq < seat.join_seq || seq <= seat.deleted_to || found.empty()) throw no_such_message(conv, seq);
  const ForwardedFrom from{conv, seq, text(found[0][0])};
  std::vector<ForwardedTo> all;
  std::set<std::string> reached;
  for (const auto& target : to) {
    ForwardedTo one;
    one.conv = valid_conversation_name(target) ? target : create_direct(target, contacts_only);
    if (!reached.insert(one.conv).second) continue;
    read_seat(session_, transaction_, one.conv, user_);
    one.id = "fwd-" + new_group_name().substr(2);
    const auto message = forwarded_payload(text(found[0][1]), one.id, from);
    if (!message) throw no_such_message(conv, seq);
    session_.exec(transaction_, kOrder, user_, "order/forward",
                  "{\"to\":" + nlohmann::json(one.conv).dump() + ",\"message\":" + *message + "}");
    all.push_back(std::move(one));
  }
  return all;
}

void PostgresChanges::kick_device(const std::string& device, bool forget) {
  if (!valid_device_name(device)) throw bad_device_name(device);
  if (forget) session_.exec(transaction_, kForgetDevice, user_, device);
  session_.exec(transaction_, kOrder, user_, "order/kick", nlohmann::json{{"device", device}}.dump());
}

}  // namespace chat
