// The list of all operations. A new one is a file in this folder that defines one of the functions below, a line here,
// and a line in handlers.cpp; the frame around them stays as it is.
#pragma once

#include <functional>

#include "bridge/presence/presence_board.h"
#include "bridge/rpc/registry.h"
#include "bridge/standings/list_standings.h"
#include "storage/presence.h"
#include "storage/requests.h"
#include "storage/types.h"

namespace chat {

// What handlers may use. Everything outlives them.
struct Services {
  std::function<TimeMs()> now;           // the wall clock
  RequestStore* requests = nullptr;      // the worker's thread only
  PresenceStore* presence = nullptr;     // likewise
  const PresenceBoard* board = nullptr;  // who is here
  ListStandings* standings = nullptr;    // the worker's thread only; null: all is asked of `requests`
  int members_max = 5000;                // of a group
  int groups_max = 10'000;               // of a user
  bool require_contact = false;          // direct conversations are made between contacts only
};

Handler ping(const Services& services);

// For one of contact.request, .accept, .remove, .block, .unblock.
Handler contact_change(const Services& services, ContactAction action);
Handler contact_list(const Services& services);

Handler conversation_create(const Services& services);
Handler conversation_get(const Services& services);
Handler conversation_leave(const Services& services);
Handler conversation_list(const Services& services);
Handler conversation_update(const Services& services);
Handler unread_get(const Services& services);

Handler member_add(const Services& services);
Handler member_list(const Services& services);
Handler member_remove(const Services& services);
Handler member_role(const Services& services);

Handler history(const Services& services);
Handler search(const Services& services);
Handler sync(const Services& services);
Handler message_delete(const Services& services);
Handler message_forward(const Services& services);
Handler receipt_list(const Services& services);

Handler presence_get(const Services& services);

Handler device_kick(const Services& services);
Handler device_list(const Services& services);
Handler device_set(const Services& services);
Handler profile_get(const Services& services);
Handler profile_set(const Services& services);
Handler settings_set(const Services& services);

Registry all_handlers(const Services& services);

}  // namespace chat
