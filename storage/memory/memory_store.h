// The in-memory twin: says in the plainest code what a store must answer, so that the PostgreSQL store can be held
// against it, and lets unit tests run the rest of the system without a database, with faults on order.
//
// Threads: any; one mutex guards everything, so that tests may share one twin where the program has a store per thread.
// Only wait() belongs to one thread at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/contact.h"
#include "storage/message_event.h"
#include "storage/store.h"

namespace chat {

class MemoryStore : public Store {
 public:
  // What a call does in place of its work.
  enum class Fault {
    kUnavailable,     // throws StoreUnavailable, nothing done
    kInDoubtDone,     // commit() only: does it, then throws StoreInDoubt
    kInDoubtNotDone,  // commit() only: throws StoreInDoubt, nothing done
    kCorrupt,         // throws StoreCorrupt, nothing done
  };

  // The next `times` calls of whatever kind fail, before any that were ordered later. An in-doubt fault means
  // StoreUnavailable to calls other than commit().
  void fail_next(Fault fault, int times = 1);
  // The same for calls of commit() alone.
  void fail_next_commit(Fault fault, int times = 1);
  // While not available, every call throws StoreUnavailable. wait() answers kEverything when it is back.
  void set_available(bool available);
  // Every call but wait() takes this long first.
  void set_delay(std::chrono::milliseconds delay);
  // Takes interrupt() back, for tests that go on with the same data.
  void clear_interrupt();

  // What the table of contacts would hold of this one's side; nullopt: no row. Told as a change, whoever is there.
  void set_contact(std::string_view user, std::string_view other, std::optional<ContactState> state);

  // What is in it, for tests. An unknown conversation has no messages.
  std::vector<StoredMessage> messages(std::string_view conv) const;  // in order of seq
  std::vector<StoredCommand> commands() const;                       // in order of commit
  std::optional<std::pair<Seq, Rev>> cursor(std::string_view user, std::string_view device,
                                            std::string_view conv) const;
  int commits() const;  // batches that were applied

  // What the bridge does when a message is recalled or edited, with its event: for tests of those who hear of it.
  void rewrite(std::string_view conv, const Rewriting& rewriting);

  std::optional<Position> checkpoint(const Uuid& journal) override;
  CommitResult commit(const Batch& batch) override;

  std::vector<std::optional<ConversationState>> load_conversations(std::span<const std::string> names,
                                                                   const LoadTerms& terms) override;
  std::optional<UserState> load_user(std::string_view name, int recent_limit, bool create) override;
  DeviceOpening open_device(std::string_view user, std::string_view device) override;
  std::optional<Owed> owed_in(std::string_view user, std::string_view device, ConvId conv) override;
  std::vector<StoredMessage> messages_above(std::span<const PageWant> wants, int limit, std::size_t bytes_max) override;
  std::vector<StoredEvent> events_above(ConvId conv, Rev above, int limit) override;

  std::vector<Change> wait(std::chrono::milliseconds timeout) override;

  void add_user(std::string_view name) override;
  std::vector<UserRow> list_users(std::string_view after, int limit) override;
  std::string create_group(std::string_view title, std::string_view owner, std::span<const std::string> members,
                           TimeMs now) override;
  std::optional<ConversationState> find_conversation(std::string_view name) override;
  std::vector<ConversationRow> list_conversations(std::string_view after, int limit) override;
  void add_member(std::string_view conv, std::string_view user, Role role, std::string_view by, TimeMs now) override;
  void remove_member(std::string_view conv, std::string_view user, std::string_view by, TimeMs now) override;
  std::vector<DeviceRow> devices(std::string_view user, std::string_view device) override;
  DeviceRow set_device(std::string_view user, std::string_view device, const DeviceSettings& settings) override;
  StoreStatus status() override;

  void interrupt() noexcept override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Conversation {
    ConversationState state;  // `members` is kept in byte order
    std::map<Seq, StoredMessage> messages;
    std::vector<StoredEvent> events;
    std::optional<SeqSource> source;  // who gives numbers here; none: nobody gave any yet
    Seq jumped_to = 0;
    std::set<Seq> rewritten;
  };
  struct Journal {
    Position position = 0;
    TimeMs committed_at = 0;
  };
  struct Cursor {
    Seq delivered = 0;
    Rev rev = 0;
  };

  // Takes the lock, and the delay, interruption, absence or fault that is due.
  Lock enter(bool commit = false);
  std::optional<Fault> due_fault(bool commit);
  CommitResult apply(const Batch& batch);
  void check(const Batch& batch) const;
  void apply_cursor(const CursorUpdate& update);
  Cursor effective(const std::string& device, const Member& member, const Conversation& conversation,
                   std::string_view user) const;
  void forget_surplus_devices(const DeviceRow& newest);
  static std::optional<Owed> owed_above(const Cursor& cursor, const Conversation& conversation);
  DirectStanding standing(std::string_view first, std::string_view second) const;
  std::optional<ConversationState> load(std::string_view name, const LoadTerms& terms);
  Conversation* find(std::string_view name);
  const Conversation* find(std::string_view name) const;
  Conversation& group_to_change(std::string_view name);
  void must_exist(std::string_view user) const;
  void add_event(Conversation& conversation, TimeMs now, std::string payload);
  void tell(Change change);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;
  bool available_ = true;
  bool told_everything_ = false;
  std::chrono::milliseconds delay_{0};
  std::deque<Fault> faults_;
  std::deque<Fault> commit_faults_;
  int commits_ = 0;

  std::map<std::string, TimeMs, std::less<>> users_;  // created_at
  std::map<ConvId, Conversation> conversations_;
  std::map<std::pair<std::string, std::string>, DeviceRow> devices_;
  std::map<std::tuple<std::string, std::string, ConvId>, Cursor> cursors_;
  std::map<std::pair<std::string, std::string>, ContactState> contacts_;
  std::map<Uuid, Journal> journals_;
  std::vector<StoredCommand> commands_;
  std::vector<Change> changes_;
};

}  // namespace chat
