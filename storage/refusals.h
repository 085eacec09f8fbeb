// The refusals that every store gives, in the same words, and the checks that need no store.
#pragma once

#include <string_view>

#include "storage/errors.h"
#include "storage/types.h"

namespace chat {

StoreRefused bad_user_name(std::string_view name);
StoreRefused bad_device_name(std::string_view device);
StoreRefused title_too_long(std::string_view title);
StoreRefused user_exists(std::string_view name);
StoreRefused no_such_user(std::string_view name);
StoreRefused no_such_conversation(std::string_view name);
StoreRefused direct_is_fixed(std::string_view conv);
StoreRefused not_in_conversation(std::string_view conv, std::string_view user);  // of somebody else: not_found
StoreRefused not_a_member(std::string_view conv, std::string_view user);         // of the one who asks: not_member
StoreRefused no_such_message(std::string_view conv, Seq seq);
// The role is not enough; `what` as in "may add members".
StoreRefused role_too_low(std::string_view conv, std::string_view user, Role role, std::string_view what);
StoreRefused too_many_members(std::size_t would_be, int most);
StoreRefused in_too_many_groups(std::string_view user, int most);
StoreRefused id_taken(std::string_view id);
StoreRefused own_contact(std::string_view user);
// Of the one who asks about `other`: blocked.
StoreRefused blocks_other(std::string_view user, std::string_view other);
StoreRefused blocked_by(std::string_view user, std::string_view other);
// not_found, `"other" {what} "user"`; `what` as in "is no contact of".
StoreRefused no_contact(std::string_view user, std::string_view other, std::string_view what);
StoreRefused no_words(std::string_view words);  // of a search

inline constexpr int kReplayLimitMax = 10'000;  // messages of one conversation that a device may ask for at its opening

// Throws bad_field for a device name that is none, or a replay limit outside 1 to kReplayLimitMax.
void check_device_settings(std::string_view device, const DeviceSettings& settings);

}  // namespace chat
