#include "bridge/handlers/handlers.h"

namespace chat {

Registry all_handlers(const Services& services) {
  Registry registry;
  registry.add("contact.accept", contact_change(services, ContactAction::kAccept));
  registry.add("contact.block", contact_change(services, ContactAction::kBlock));
  registry.add("contact.list", contact_list(services));
  registry.add("contact.remove", contact_change(services, ContactAction::kRemove));
  registry.add("contact.request", contact_change(services, ContactAction::kRequest));
  registry.add("contact.unblock", contact_change(services, ContactAction::kUnblock));
  registry.add("conversation.create", conversation_create(services));
  registry.add("conversation.get", conversation_get(services));
  registry.add("conversation.leave", conversation_leave(services));
  registry.add("conversation.list", conversation_list(services));
  registry.add("conversation.update", conversation_update(services));
  registry.add("device.kick", device_kick(services));
  registry.add("device.list", device_list(services));
  registry.add("device.set", device_set(services));
  registry.add("history", history(services));
  registry.add("member.add", member_add(services));
  registry.add("member.list", member_list(services));
  registry.add("member.remove", member_remove(services));
  registry.add("member.role", member_role(services));
  registry.add("message.delete", message_delete(services));
  registry.add("message.forward", message_forward(services));
  registry.add("ping", ping(services));
  registry.add("presence.get", presence_get(services));
  registry.add("profile.get", profile_get(services));
  registry.add("profile.set", profile_set(services));
  registry.add("receipt.list", receipt_list(services));
  registry.add("search", search(services));
  registry.add("settings.set", settings_set(services));
  registry.add("sync", sync(services));
  registry.add("unread.get", unread_get(services));
  return registry;
}

}  // namespace chat
