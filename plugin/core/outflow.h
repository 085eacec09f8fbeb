// Hands messages and events to devices: first what each one missed, then what is live, never more unacknowledged than a
// window.
//
// Invariants
//  (1) Per device and conversation, messages are handed over in order of seq, events in order of rev, none left out
//  above the
//      device's cursor, whatever the backlog. What is not acknowledged may come again after the tap was opened anew.
//  (2) A lane is either complete (everything known was handed over) or stands in `Tap::behind`; a live message goes
//  straight out
//      only on a lane that is complete, and only within the window. So a device that fell behind is served in order,
//      without reconnecting, as its acknowledgements make room.
//  (3) With AckMode::kClient at most `window` messages and events are unacknowledged, so the broker's queue of 1,000
//  never drops
//      one. A device with AckMode::kAuto says nothing, so it is paced by time instead (auto_rate), and what was handed
//      over is its cursor.
//  (4) Answers of the store that belong to an older opening of a tap are thrown away.
//  (5) Once a recall was heard of, no device is handed the text: not from the tail, not from a page that was read
//  before, not
//      from a page that is on its way.
// Thread: the broker's only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugin/core/clock.h"
#include "plugin/core/conversation_cache.h"
#include "plugin/core/directory.h"
#include "plugin/core/ports.h"
#include "plugin/core/topic.h"
#include "plugin/journal/journal.h"

namespace chat {

// Messages at once to an AckMode::kAuto device: half of the broker's queue of 1,000.
inline constexpr double kAutoBurst = 500;

struct OutflowOptions {
  int window = 100;     // messages and events
  int auto_rate = 200;  // per second, to a device that does not acknowledge
  Replay replay = Replay::kFull;
  int replay_limit = 99;  // messages per conversation
  AckMode ack = AckMode::kClient;
};

class Outflow {
 public:
  // All references outlive the object.
  Outflow(const OutflowOptions& options, const TopicSpace& topics, const Clock& clock, Broker& broker,
          Requests& requests, Journal& journal, ConversationCache& conversations, Directory& directory);

  // Asks what the device is owed. A tap that is opening already is left alone; an open one starts over at its cursors.
  void open(Session& session);
  void close(Session& session);
  void opened(const DeviceOpened& answer);
  // The device's place in this one conversation has to be asked of the store: its user just joined, or the conversation
  // was changed while it was not in memory. Nothing that is on its way already comes again.
  void place(Session& session, const Conversation& conversation);
  void placed(const DevicePlaced& answer);
  // Changes may have been missed: what the device is owed in conversations that have no lane, or above a lane's
  // targets.
  void look_again(Session& session);
  void page(PageRead answer);

  // A message was just journaled: to every connected device of the members, the sender's own included.
  void live(const Conversation& conversation, Seq seq, const Bytes& bytes);
  // An event that the store has: likewise.
  void live_event(const Conversation& conversation, Rev rev, const Bytes& bytes);
  // A message was recalled or edited: a device that was not handed it yet gets the new bytes.
  void rewrite(Session& session, std::string_view conv, const Rewriting& rewriting);
  // What was read ahead for the device may be out of date, in this conversation or (empty) in all.
  void read_again(Session& session, std::string_view conv);
  // One event to one user's devices, outside of any lane: what someone who was just removed learns.
  void farewell(const User& user, const Bytes& bytes);

  enum class Acknowledged : std::uint8_t {
    kRaised,   // a cursor rose: journal it
    kKnown,    // nothing new
    kTooHigh,  // above everything that exists
    kNoLane,   // this device has no open lane here: ask the conversation
  };
  // `conv_id` is filled unless kNoLane or kTooHigh. Room in the window is made at once, also where the journal then
  // refuses the cursor: a device that says nothing twice must not stall.
  Acknowledged acknowledged(Session& session, std::string_view conv, Seq delivered, Rev rev, ConvId* conv_id);
  // The journal has the cursor. Until this is called for it, the same acknowledgement answers kRaised again.
  void journaled(Session& session, std::string_view conv, Seq delivered, Rev rev);
  // Serves what the window has room for. Call after acknowledged() was journaled.
  void pump(Session& session);

  // The user is no member any more: nothing of this conversation goes out to the device from now on.
  void drop_lane(Session& session, std::string_view conv);
  void tick();

 private:
  Lane& lane_at(Tap& tap, std::string_view conv, ConvId conv_id, Seq sent, Rev rev_sent);
  void put_behind(Tap& tap, Lane& lane);
  void put_at(Tap& tap, Lane& lane, const Owed& owed);
  void take_early(Tap& tap, Lane& lane);
  void looked(Session& session, const DeviceOpened& answer);
  bool may_send(Session& session);
  void send(Session& session, Lane& lane, Seq seq, Rev rev, const Bytes& bytes);
  void send_page(Session& session);
  bool serve_lane(Session& session, Lane& lane);
  void ask_page(Session& session);
  bool next_in_tail(const Lane& lane) const;
  void finish_catching_up(Session& session);
  void forget_if_idle(Tap& tap, Lane& lane);
  void flush_auto(Session& session);
  void say_sync(Session& session, std::string json);
  void apply(Tap& tap, const DeviceSettings& settings);

  OutflowOptions options_;
  const TopicSpace& topics_;
  const Clock& clock_;
  Broker& broker_;
  Requests& requests_;
  Journal& journal_;
  ConversationCache& conversations_;
  Directory& directory_;
  std::uint64_t generations_ = 0;
  TimeMs flushed_at_ = 0;
};

}  // namespace chat
