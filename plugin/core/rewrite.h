// What a recall or an edit makes of a message that waits to be handed over.
#pragma once

#include "plugin/core/bytes.h"
#include "storage/message_event.h"

namespace chat {

// `*bytes` are a message as it is delivered; they become what the store makes of it too. A message that has nothing to
// change (an edit of what was recalled since) stays as it is.
void rewrite_bytes(Bytes* bytes, const Rewriting& rewriting);

// The bytes of a message that has expired.
void expire_bytes(Bytes* bytes);

}  // namespace chat
