// The core as one thing: what the broker's callbacks ask, and what the other threads answer. No broker is needed to run
// it: the adapter (plugin/broker) translates, unit tests call it directly.
//
// Invariants
//  (1) Every call returns without waiting: no network, no database, no lock held by another thread for longer than a
//  push. The
//      only system call is the journal's write().
//  (2) Nothing is shown to anyone before the journal has it, and nothing is refused after anything was changed.
//  (3) Bytes under the prefix reach a client only if the plugin or the bridge put them there (may_read).
// Thread: the broker's only, but for parked_floor().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/core/access.h"
#include "plugin/core/conversing.h"
#include "plugin/core/latest_topics.h"
#include "plugin/core/parking.h"
#include "plugin/core/rate_limit.h"
#include "plugin/core/refusal_crowd.h"
#include "plugin/core/signal_writer.h"

namespace chat {

// What becomes of one device more than a user may have connected.
enum class TooManyDevices : std::uint8_t {
  kKickOldest,  // the one whose connection began first is ended
  kRefuse,      // the new one may do nothing in the chat until another one is gone
};

struct HubOptions {
  std::string prefix = "chat";
  std::string bridge_user = "chat-bridge";
  std::size_t message_bytes_max = 65'536;
  std::size_t cache_bytes = 256U << 20;
  std::size_t tail_bytes = 64U << 20;
  std::size_t recent_ids = 256;
  bool require_contact = false;     // direct messages between contacts only
  Seq seqs_at_risk_max = kSeqJump;  // not more, or a number could be given twice; less only so that a test reaches it
  RateLimits rates;
  std::size_t max_devices = 0;  // of one user, connected; 0: any number
  TooManyDevices too_many_devices = TooManyDevices::kKickOldest;
  OutflowOptions outflow;
};

// The answer to an access question. kOutside: not our topic, somebody else decides.
enum class Access : std::uint8_t { kOutside, kGranted, kRefused };

struct PublishVerdict {
  enum class Kind : std::uint8_t { kOutside, kUntouched, kReplace, kRefuse };
  Kind kind = Kind::kOutside;
  Bytes payload;       // with kReplace; null: an empty payload, which no subscriber is given
  bool quota = false;  // with kRefuse: a bound was reached, later it may pass
};

class Hub {
 public:
  // All references outlive the object.
  Hub(const HubOptions& options, const Clock& clock, Broker& broker, Requests& requests, Journal& journal);
  ~Hub();

  // Publishes that were parked when the last run ended, oldest first. Before the first callback.
  void recover(std::vector<std::pair<Position, ParkedRecord>> parked);

  // Access questions, in the broker's order. `payload` is what would be delivered.
  Access may_subscribe(const ClientRef& client, std::string_view filter, int qos);
  Access may_unsubscribe(const ClientRef& client, std::string_view filter);
  Access may_write(const ClientRef& client, std::string_view topic);
  Access may_read(const ClientRef& client, std::string_view topic, std::string_view payload);

  PublishVerdict published(const ClientRef& client, std::string_view topic, std::string_view payload, int qos);
  // A connection began, where the broker tells: what comes now is no last will of one that ended.
  void connected() { expire_write(); }
  void disconnected(const void* handle, std::string_view device);
  // Whether another connection than this one has that client id, as far as was seen.
  bool taken_over(const void* handle, std::string_view device);
  // Whether that session (Session::generation) still has its client id, as far as the broker lets know.
  bool is_session(std::string_view device, std::uint64_t generation);

  void notice(Notice notice);
  void tick();

  Position parked_floor() const { return parking_.floor(); }

 private:
  using Asked = StringSet;

  // The connection's session, made if it is new; null: it can have none, and why_no_session() says why.
  Session* touch(const ClientRef& client);
  std::string why_no_session(const ClientRef& client);
  bool no_more_devices(const ClientRef& client);
  void make_room(const Session& newest);
  // Whether end_soon() was called for this connection.
  bool is_ending(const void* handle) const;
  // Ends it at a later tick, at the earliest in `behind_ms`.
  void end_soon(const void* handle, std::string_view device, TimeMs behind_ms);
  int qos_of_last_words(const void* handle);
  void kick_told();
  // Takes it from what the user and the device may still do. True: it was too much, which was said.
  bool over_rate(const ClientRef& client, std::string_view topic, PublishKind kind, std::string_view payload);
  bool over_rate(const ClientRef& client, std::string_view filter);
  void refuse_for_rate(const ClientRef& client, std::string_view topic, const Refusal& refusal);
  Outcome handle(const Origin& origin, Session* session, const PublishTopic& topic, std::string_view payload);
  PublishVerdict conclude(const Origin& origin, std::string_view topic, const PublishTopic& parsed,
                          std::string_view payload, Outcome outcome);
  PublishVerdict acknowledge_many(const Origin& origin, Session& session, std::string_view topic,
                                  std::string_view payload);
  PublishVerdict carry_out(std::string_view topic, const PublishTopic& order, std::string_view payload);
  void kick(const std::string& device);
  void kick_now();
  PublishVerdict forward_request(const ClientRef& client, std::string_view topic, std::string_view payload);
  PublishVerdict refuse(const ClientRef& client, std::string_view topic, const Refusal& refusal);
  void say_refused(const std::string& user, std::string_view topic, const Refusal& refusal, int qos = 1);

  std::optional<Refusal> park(const Origin& origin, std::string_view topic, std::string_view payload,
                              const Waiting& waiting);
  void wait_for(const std::shared_ptr<Parked>& parked, const Waiting& waiting);
  void unpin(Parked& parked);
  void resume(std::string_view key);
  void resume_one(const std::shared_ptr<Parked>& parked);
  bool retry_stuck();  // true: none is stuck any more
  void resolve(Parked& parked, bool journaled);

  // What was changed since the reload that is under way was asked for.
  enum class Again : std::uint8_t { kNo, kEvents, kAll };
  void ask_conversation(const std::string& name);
  // Of a conversation in memory: what is new in it (kAll), or only its new events (kEvents).
  void ask_again(const Conversation& conversation, Again what);
  void ask_user(const std::string& name);
  void loaded(ConversationLoaded& answer);
  void loaded(EventsLoaded& answer);
  void loaded(UserLoaded& answer);
  void learn_recalls(const PageRead& page);
  Refusal why_not_there(const ConversationLoaded& answer, const Parked& parked);
  void committed(const Committed& batch);
  void changed(const Changed& changes);
  void learn_unseen(const std::string& name);
  void place_new_members(const Conversation& conversation, const std::vector<std::shared_ptr<User>>& known);
  void rewrite(const std::shared_ptr<Conversation>& conversation, const std::vector<StoredEvent>& events,
               const std::vector<std::shared_ptr<User>>& gone);
  void tell_events(const Conversation& conversation, const std::vector<StoredEvent>& events,
                   const std::vector<std::shared_ptr<User>>& gone);
  void update_wants(Session& session);
  bool feeds(std::string_view filter, std::string_view user) const;
  bool covers_unread(std::string_view filter, std::string_view user) const;
  void expire_write();

  HubOptions options_;
  TopicSpace topics_;
  LatestTopics latest_topics_{topics_};
  const Clock& clock_;
  Broker& broker_;
  Requests& requests_;
  Journal& journal_;
  Directory directory_;
  ConversationCache conversations_;
  SenderCache senders_;
  Tail tail_;
  Outflow outflow_;
  Admitter admitter_;
  Conversing conversing_;
  Parking parking_;

  Asked asked_conversations_;   // loads under way
  StringMap<Again> reloading_;  // reloads under way
  bool heard_everything_ = false;
  Asked changed_unseen_;  // of these, those that were changed while not in memory: whoever is here has to learn of it
  Asked changed_meanwhile_;   // of these, those that were changed while the load was under way: it may have read before
                              // that
  Asked contacts_meanwhile_;  // ... and direct ones whose two stand to each other in another way since
  Asked asked_users_;
  Asked unknown_users_;                         // loaded, and the store knows no such user
  std::vector<std::shared_ptr<Parked>> stuck_;  // could not be journaled when their turn came: tried again by tick()
  Refusal stuck_why_;
  TimeMs ticked_at_ = -1;                         // Clock::steady()
  TimeMs retried_at_ = 0;                         // Clock::steady()
  StringMap<std::vector<std::string>> watchers_;  // conversation being loaded -> users who subscribed to its own topic
  std::vector<const void*> bridges_;              // connections that read requests with the bridge's credentials
  std::string seal_;      // what an envelope for the bridge starts with: nobody else can know it
  SignalWriter signals_;  // behind seal_, of which it takes a copy
  std::vector<std::pair<std::string, std::string>> kicks_;  // user and device, until the next tick
  // A connection that is about to be ended, until its user has had time to hear why.
  struct Ending {
    const void* handle = nullptr;
    std::string device;
    TimeMs from = 0;          // the earliest end, as Clock::steady() says
    bool handed_out = false;  // the broker has had a tick to hand out why it ends
  };
  std::vector<Ending> ending_;
  bool kicking_ = false;  // the broker asks for a client's old subscriptions again while it is kicked
  RateLimiter rates_;
  RefusalCrowd crowd_;
  const void* dead_ = nullptr;  // a connection that ended just now: what it still publishes is its last will
  // A granted write whose message has not come: see expire_write(). Kept, so that a publish costs no allocation here.
  struct PendingWrite {
    bool waits = false;
    std::string topic;
    std::string user;
  };
  PendingWrite pending_write_;
};

}  // namespace chat
