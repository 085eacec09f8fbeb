// A batch, gathered into the arrays that its statements take: each conversation, sender and cursor once, however often
// it occurs.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "storage/postgres/array_text.h"
#include "storage/types.h"

namespace chat {

// Rows come in order of their keys, so that two sessions lock them in the same order. Refers to the batch's strings
// while it is built, not afterwards. Throws StoreCorrupt where the batch contradicts itself: it ends before it begins,
// or a seq falls.
struct BatchPlan {
  explicit BatchPlan(const Batch& batch);

  std::int64_t conversations = 0;
  ArrayText head_conv, head_first, head_last, head_time;  // each conversation's first and last seq, and latest time
  ArrayText sender_conv, sender_user, sender_seq;         // each sender's last seq in a conversation
  ArrayText cursor_conv, cursor_user, cursor_device, cursor_delivered, cursor_rev, cursor_at;
  ArrayText read_conv, read_user, read_seq, read_at;
  ArrayText reach_conv, reach_user, reach_delivered, reach_read, reach_at;  // of a user, over all of their devices
  ArrayText command_position, command_conv, command_operation, command_user, command_device, command_time,
      command_payload;
  ArrayText void_conv, void_seq, void_at;  // messages that expire, and when
  ArrayText notices;                       // for chat_activity: whose unread messages this changes
  std::set<TimeMs> months;                 // a time in each month in which there is a message
};

}  // namespace chat
