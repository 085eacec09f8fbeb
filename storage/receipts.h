// Receipts on their way to those who sent the messages: written by the commit of the acknowledgements, told by the
// bridge.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/activity.h"
#include "storage/errors.h"
#include "storage/types.h"

namespace chat {

// How far a member has come since the senders concerned were last told.
struct DueReceipt {
  MemberKey key;  // whose cursors rose
  std::string conv;
  Seq delivered = 0;
  Seq read = 0;
  TimeMs at = 0;                  // when they last rose
  std::vector<std::string> tell;  // the other members who sent something above what was told before; may be empty
};

// What was told, and is not due any more unless the cursors rose again.
struct ToldReceipt {
  MemberKey key;
  Seq delivered = 0;
  Seq read = 0;
};

// Threads: one at a time; interrupt() any. Every call may block, and throw StoreUnavailable.
class ReceiptStore {
 public:
  virtual ~ReceiptStore() = default;

  // Up to `limit` receipts that are due, in order of conversation and user, behind that one (nullopt: from the start).
  virtual std::vector<DueReceipt> due(const std::optional<MemberKey>& behind, int limit) = 0;
  virtual void told(std::span<const ToldReceipt> receipts) = 0;

  // Waits up to `timeout` for word of new ones. False: none came.
  virtual bool wait(std::chrono::milliseconds timeout) = 0;

  // Makes a call that is blocked, and all later ones, fail soon with StoreUnavailable.
  virtual void interrupt() noexcept = 0;
};

std::unique_ptr<ReceiptStore> open_receipt_store(const std::string& uri, std::string_view application_name);

}  // namespace chat
