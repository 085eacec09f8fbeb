// How many numbers of a conversation a power cut could take back: those whose messages are neither in PostgreSQL nor on
// the medium. Somebody has seen them, and nothing but the broker's memory says so. After such a loss a conversation
// goes on kSeqJump higher, which is enough as long as never more than that are in danger.
//
// Invariants
//  (1) Whatever a power cut takes, no number that was given lies further than the bound above the last one that
//      PostgreSQL has once it holds what survived in the journal.
//  (2) Nothing is written and nothing is waited for because of this: a few comparisons a message.
// Thread: the broker's only.
#pragma once

#include <algorithm>

#include "plugin/core/conversation.h"

namespace chat {

// Whether one more number may be given. `synced` is Journal::synced().
inline bool may_risk_one_more(Conversation& conversation, Position synced, Seq bound) {
  auto& risk = conversation.risk;
  // One mark at a time: when the medium has got as far as it, the next one is set at the present end.
  if (synced >= conversation.last_position) {
    risk.safe_seq = conversation.last_seq;
  } else if (synced >= risk.mark_position) {
    risk.safe_seq = std::max(risk.safe_seq, risk.mark_seq);
    risk.mark_seq = conversation.last_seq;
    risk.mark_position = conversation.last_position;
  }
  risk.safe_seq = std::max(risk.safe_seq, conversation.committed_seq);
  return conversation.last_seq < risk.safe_seq + bound;
}

}  // namespace chat
