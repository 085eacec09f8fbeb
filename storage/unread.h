// What the bridge needs to push unread counts: how somebody stands, and who may stand otherwise since.
//
// Threads: one object belongs to one thread at a time; interrupt() any. Every call may block on the network and throw
// StoreUnavailable; the next one reconnects by itself.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/activity.h"
#include "storage/errors.h"
#include "storage/request_values.h"

namespace chat {

// How one member of one conversation stands.
struct UnreadStanding {
  MemberKey key;
  bool member = true;     // false: they are not in it, and all else is 0
  UnreadRow row;          // `conv` is empty where there is no such conversation
  TimeMs active = 0;      // its latest message, or one's joining
  TimeMs changes_at = 0;  // when an unread message expires, without anybody doing anything; 0: none does
};

class UnreadStore {
 public:
  virtual ~UnreadStore() = default;

  // In all conversations of the user, those without unread messages too; empty for a user who is not known.
  virtual std::vector<UnreadStanding> of_user(const std::string& user, TimeMs now) = 0;
  // Of each that is asked for, in any order.
  virtual std::vector<UnreadStanding> of_members(std::span<const MemberKey> keys, TimeMs now) = 0;

  // As Store::interrupt() of storage/store.h.
  virtual void interrupt() noexcept = 0;
};

class ActivityFeed {
 public:
  virtual ~ActivityFeed() = default;

  // Waits up to `timeout` for what changes unread counts, whoever causes it, but for the passing of time. The first
  // call, and the first after a lost connection, answers `everything`. An empty answer: nothing changed.
  virtual Activity wait(std::chrono::milliseconds timeout) = 0;

  // Does not wait for changes: answers those that were committed before the call, but for what an earlier call has
  // answered; else as wait().
  virtual Activity so_far() = 0;

  virtual void interrupt() noexcept = 0;
};

// `uri` and what it promises: as open_postgres() of storage/store.h.
std::unique_ptr<UnreadStore> open_unread_store(const std::string& uri, std::string_view application_name);
std::unique_ptr<ActivityFeed> open_activity_feed(const std::string& uri, std::string_view application_name);

}  // namespace chat
