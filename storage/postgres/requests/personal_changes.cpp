// What concerns the one who asks alone: devices, profile, settings, and what they do not want to see again.
#include "storage/postgres/admin.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/requests/changes.h"
#include "storage/postgres/requests/reading.h"
#include "storage/refusals.h"

namespace chat {
namespace {

constexpr Statement kSetProfile{
    "set_profile",
    "UPDATE users SET display_name = CASE WHEN $2 THEN $3 ELSE display_name END, "
    "avatar = CASE WHEN $4 THEN $5 ELSE avatar END, about = CASE WHEN $6 THEN $7 ELSE about END WHERE name = $1"};

constexpr Statement kSetSettings{
    "set_settings",
    "UPDATE members SET muted = CASE WHEN $3 THEN $4 ELSE muted END, "
    "pinned_at = CASE WHEN NOT $5 THEN pinned_at WHEN $6 THEN coalesce(pinned_at, $7::bigint) END, "
    "draft = CASE WHEN $8 THEN $9 ELSE draft END WHERE conv_id = $1 AND user_name = $2"};

constexpr Statement kHide{"hide",
                          "INSERT INTO hidden_messages (user_name, conv_id, seq, at) "
                          "SELECT $1, $2::bigint, u.seq, $4::bigint FROM unnest($3::bigint[]) AS u (seq) "
                          "ON CONFLICT (user_name, conv_id, seq) DO NOTHING"};

// What lies below need not be hidden one by one any more.
constexpr Statement kDeleteTo{"delete_to",
                              "WITH below AS (DELETE FROM hidden_messages WHERE user_name = $1 AND conv_id = $2 AND "
                              "seq <= $3) UPDATE members SET deleted_to = greatest(deleted_to, $3) "
                              "WHERE user_name = $1 AND conv_id = $2"};

}  // namespace

DeviceRow PostgresChanges::set_device(const std::string& device, const DeviceSettings& settings) {
  return put_device(session_, transaction_, user_, device, settings);
}

void PostgresChanges::set_profile(const ProfileUpdate& update) {
  session_.exec(transaction_, kSetProfile, user_, update.name.has_value(), update.name.value_or(""),
                update.avatar.has_value(), update.avatar.value_or(""), update.about.has_value(),
                update.about.value_or(""));
}

void PostgresChanges::set_settings(const std::string& conv, const SettingsUpdate& update) {
  const auto seat = read_seat(session_, transaction_, conv, user_);
  session_.exec(transaction_, kSetSettings, seat.conv_id, user_, update.muted.has_value(), update.muted.value_or(false),
                update.pinned.has_value(), update.pinned.value_or(false), now_, update.draft.has_value(),
                update.draft.value_or(""));
}

void PostgresChanges::delete_messages(const std::string& conv, std::span<const Seq> seqs) {
  const auto seat = read_seat(session_, transaction_, conv, user_);
  ArrayText hidden;
  for (const Seq seq : seqs) {
    if (seq < seat.join_seq || seq > seat.last_seq) throw no_such_message(conv, seq);
    if (seq > seat.deleted_to) hidden.add(seq);
  }
  if (!hidden.empty()) session_.exec(transaction_, kHide, user_, seat.conv_id, hidden.text(), now_);
}

void PostgresChanges::delete_up_to(const std::string& conv, Seq seq) {
  const auto seat = read_seat(session_, transaction_, conv, user_);
  if (seq > seat.last_seq) throw no_such_message(conv, seq);
  session_.exec(transaction_, kDeleteTo, user_, seat.conv_id, seq);
}

}  // namespace chat
