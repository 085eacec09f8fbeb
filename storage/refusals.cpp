#include "storage/refusals.h"

#include <string>

#include "storage/labels.h"
#include "storage/names.h"

namespace chat {
namespace {

// Long values are cut: a refusal is a sentence for a person.
std::string quoted(std::string_view value) {
  constexpr std::size_t kShownMax = 80;  // bytes
  std::string text = "\"";
  text.append(value.substr(0, kShownMax));
  text.append(value.size() > kShownMax ? "…\"" : "\"");
  return text;
}

}  // namespace

StoreRefused bad_user_name(std::string_view name) {
  return {"bad_field", "the user name " + quoted(name) + " is not 1 to " + std::to_string(kUserNameMax) +
                           " characters of A-Z a-z 0-9 . _ @ -"};
}

StoreRefused bad_device_name(std::string_view device) {
  return {"bad_field",
          "the device name " + quoted(device) + " is not 1 to " + std::to_string(kDeviceNameMax) + " bytes"};
}

StoreRefused title_too_long(std::string_view title) {
  return {"bad_field", "the title " + quoted(title) + " is longer than " + std::to_string(kTitleMax) + " bytes"};
}

StoreRefused user_exists(std::string_view name) {
  return {"id_conflict", "the user " + quoted(name) + " exists already"};
}

StoreRefused no_such_user(std::string_view name) {
  return {"not_found", "there is no user " + quoted(name)};
}

StoreRefused no_such_conversation(std::string_view name) {
  return {"not_found", "there is no conversation " + quoted(name)};
}

StoreRefused direct_is_fixed(std::string_view conv) {
  return {"not_allowed", "the members of the direct conversation " + quoted(conv) + " can't be changed"};
}

StoreRefused not_in_conversation(std::string_view conv, std::string_view user) {
  return {"not_found", quoted(user) + " is not in the conversation " + quoted(conv)};
}

StoreRefused not_a_member(std::string_view conv, std::string_view user) {
  return {"not_member", quoted(user) + " is not a member of the conversation " + quoted(conv)};
}

StoreRefused no_such_message(std::string_view conv, Seq seq) {
  return {"not_found", "there is no message " + std::to_string(seq) + " in the conversation " + quoted(conv)};
}

StoreRefused role_too_low(std::string_view conv, std::string_view user, Role role, std::string_view what) {
  std::string sentence = quoted(user) + " is " + std::string(label(role)) + " in the conversation " + quoted(conv);
  return {"not_allowed", sentence.append(": nobody of that role ").append(what)};
}

StoreRefused id_taken(std::string_view id) {
  return {"id_conflict", "the id " + quoted(id) + " belongs to another request"};
}

StoreRefused too_many_members(std::size_t would_be, int most) {
  return {"not_allowed", "a group of " + std::to_string(would_be) + " members is not allowed here, only one of up to " +
                             std::to_string(most)};
}

StoreRefused in_too_many_groups(std::string_view user, int most) {
  return {"not_allowed",
          quoted(user) + " is in " + std::to_string(most) + " groups already, and may be in no more of them"};
}

StoreRefused own_contact(std::string_view user) {
  return {"bad_field", "the field user is " + quoted(user) + ", who asks: nobody is a contact of their own"};
}

StoreRefused blocks_other(std::string_view user, std::string_view other) {
  return {"blocked", quoted(user) + " blocks " + quoted(other) + ": contact.unblock comes first"};
}

StoreRefused blocked_by(std::string_view user, std::string_view other) {
  return {"blocked", quoted(other) + " blocks " + quoted(user)};
}

StoreRefused no_contact(std::string_view user, std::string_view other, std::string_view what) {
  std::string sentence = quoted(other) + " ";
  return {"not_found", sentence.append(what).append(" ").append(quoted(user))};
}

StoreRefused no_words(std::string_view words) {
  return {"bad_field", "the field words is " + quoted(words) + ", and must hold a letter or a digit"};
}

void check_device_settings(std::string_view device, const DeviceSettings& settings) {
  if (!valid_device_name(device)) throw bad_device_name(device);
  if (settings.replay_limit && (*settings.replay_limit < 1 || *settings.replay_limit > kReplayLimitMax)) {
    throw StoreRefused("bad_field", "the replay limit " + std::to_string(*settings.replay_limit) + " is not 1 to " +
                                        std::to_string(kReplayLimitMax));
  }
}

}  // namespace chat
