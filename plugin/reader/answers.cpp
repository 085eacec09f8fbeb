#include "plugin/reader/answers.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "plugin/core/string_map.h"
#include "storage/message_event.h"
#include "storage/stamped.h"

namespace chat {
namespace {

constexpr int kEventsPerLane = 500;

PageItem item_of(const StoredMessage& message, TimeMs now) {
  const auto expires_at = message.ttl_s > 0 ? message.server_time + message.ttl_s * 1000 : 0;
  const bool expired = expires_at > 0 && expires_at <= now;
  const auto payload = expired ? kExpiredPayload : std::string_view(message.payload);
  return {.conv = message.conv,
          .seq = message.seq,
          .rev = 0,
          .bytes = Bytes(stamped(message.conv, message.seq, message.server_time, message.sender, message.mid, payload)),
          .expires_at = expired ? 0 : expires_at};
}

// All of them: the core takes those up to the last one for told.
std::vector<StoredEvent> all_events(ReadStore& store, ConvId conv, Rev above) {
  std::vector<StoredEvent> all;
  for (bool more = true; more;) {
    auto events = store.events_above(conv, above, kEventsPerLane);
    more = events.size() >= static_cast<std::size_t>(kEventsPerLane);
    if (!events.empty()) above = events.back().rev;
    std::move(events.begin(), events.end(), std::back_inserter(all));
  }
  return all;
}

Notice read_page(ReadStore& store, const AnswerOptions& options, const ReadPage& request, TimeMs now) {
  PageRead page{.device = request.device, .generation = request.generation, .items = {}, .finished = {}};
  std::vector<PageWant> wants;
  for (const auto& want : request.wants) {
    if (want.target > want.above) wants.push_back({.conv_id = want.conv_id, .above = want.above});
  }
  std::vector<StoredMessage> messages;
  if (!wants.empty()) messages = store.messages_above(wants, options.page_messages, options.page_bytes);
  std::size_t bytes = 0;
  for (const auto& message : messages) bytes += message.payload.size();
  const bool cut = messages.size() >= static_cast<std::size_t>(options.page_messages) || bytes >= options.page_bytes;
  const auto last_conv = messages.empty() ? ConvId{0} : messages.back().conv_id;

  auto next = messages.begin();
  for (const auto& want : request.wants) {
    while (next != messages.end() && next->conv_id == want.conv_id) {
      // Above the target lies what was committed since: it comes live, or with the next page.
      if (next->seq <= want.target) {
        next->conv = want.conv;
        page.items.push_back(item_of(*next, now));
      }
      ++next;
    }
    auto rev_read = want.rev_target;
    if (want.rev_target > want.rev_above) {
      const auto events = store.events_above(want.conv_id, want.rev_above, kEventsPerLane);
      for (const auto& event : events) {
        page.items.push_back({.conv = want.conv, .seq = 0, .rev = event.rev, .bytes = Bytes(event.payload)});
      }
      if (events.size() >= static_cast<std::size_t>(kEventsPerLane)) rev_read = events.back().rev;
    }
    // The want in which the page was cut, and those behind it, are asked for again.
    if (cut && want.conv_id == last_conv) break;
    auto finished = want;
    finished.rev_target = rev_read;
    page.finished.push_back(std::move(finished));
  }
  return page;
}

}  // namespace

// A first load has a barrier at the journal's end, so what survived a loss is committed before numbers jump over it. A
// reload has none, but is asked for behind a first load only: it finds the mark made.
std::vector<Notice> answer_loads(ReadStore& store, const AnswerOptions& options,
                                 std::span<const LoadConversation> loads) {
  std::vector<std::string> names;
  for (const auto& load : loads) names.push_back(load.name);
  auto states = store.load_conversations(names, {options.seq_source, options.require_contact});
  std::vector<Notice> notices;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const auto above = loads[i].events_above;
    auto& state = states[i];
    ConversationLoaded loaded{.name = loads[i].name, .state = std::nullopt, .events = {}, .reload = above >= 0};
    if (state && state->id == 0) {
      loaded.apart = state->standing;
    } else if (state) {
      if (loaded.reload) loaded.events = all_events(store, state->id, above);
      loaded.state = std::move(state);
    }
    notices.emplace_back(std::move(loaded));
  }
  return notices;
}

Notice answer(ReadStore& store, const AnswerOptions& options, const RequestBody& request, TimeMs now) {
  if (const auto* load = std::get_if<LoadConversation>(&request))
    return std::move(answer_loads(store, options, {load, 1}).front());
  if (const auto* events = std::get_if<LoadEvents>(&request))
    return EventsLoaded{.name = events->name, .events = all_events(store, events->conv_id, events->above)};
  if (const auto* user = std::get_if<LoadUser>(&request)) {
    return UserLoaded{.name = user->name,
                      .state = store.load_user(user->name, options.recent_ids, options.create_users)};
  }
  if (const auto* device = std::get_if<OpenDevice>(&request)) {
    return DeviceOpened{.device = device->device,
                        .generation = device->generation,
                        .opening = store.open_device(device->user, device->device)};
  }
  if (const auto* place = std::get_if<PlaceDevice>(&request)) {
    return DevicePlaced{.device = place->device,
                        .generation = place->generation,
                        .owed = store.owed_in(place->user, place->device, place->conv_id)};
  }
  return read_page(store, options, std::get<ReadPage>(request), now);
}

}  // namespace chat
