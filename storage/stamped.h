// Puts the server's fields in front of a sender's bytes. A pure function of its arguments: the same message always
// becomes the same bytes, whether it is delivered live, caught up from PostgreSQL, repeated for a retry or asked for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

// {"conv":…,"seq":…,"server_time":…,"from":…,"mid":…, and then `payload` behind its brace. `payload` is an object with
// at least one field; `conv` and `sender` are valid names (so nothing in them needs escaping).
std::string stamped(std::string_view conv, Seq seq, TimeMs server_time, std::string_view sender, const Uuid& mid,
                    std::string_view payload);

// The same at `to`, where there is room for stamped_most() bytes; returns the end of what was written.
char* stamp(char* to, std::string_view conv, Seq seq, TimeMs server_time, std::string_view sender, const Uuid& mid,
            std::string_view payload);
std::size_t stamped_most(std::string_view conv, std::string_view sender, std::string_view payload);

// What stamped() put in front of the sender's object, up to the comma behind it; empty where that does not stand there.
std::string_view stamp_of(std::string_view bytes);

// The conversation and seq that stamped() wrote at the start of `bytes`; false where they do not stand there.
bool read_stamp(std::string_view bytes, std::string_view* conv, Seq* seq);

}  // namespace chat
