// How a request of the core is answered from the store: pure steps from request and store to notice, run by Reader
// threads.
#pragma once

#include <span>
#include <vector>

#include "plugin/core/ports.h"
#include "storage/store.h"

namespace chat {

struct AnswerOptions {
  int recent_ids = 256;          // per sender
  bool create_users = true;      // whom the broker authenticated is a user from first sight
  bool require_contact = false;  // a direct conversation is made between contacts only
  int page_messages = 1000;
  std::size_t page_bytes = 1U << 20;
  SeqSource seq_source;  // of the journal that the core appends to
};

// Throws what the store throws. `now` decides which messages have expired: a tombstone takes their place.
Notice answer(ReadStore& store, const AnswerOptions& options, const RequestBody& request, TimeMs now);
// The same of several loads, at little more than the cost of one.
std::vector<Notice> answer_loads(ReadStore& store, const AnswerOptions& options,
                                 std::span<const LoadConversation> loads);

}  // namespace chat
