// Puts the server's fields in front of a sender's bytes. A pure function of its arguments: the same message always
// becomes the same bytes, whether it is delivered live, caught up from PostgreSQL or repeated for a retry.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

// What is delivered: shared, because one message goes to many.
using Bytes = std::shared_ptr<const std::string>;

// {"conv":…,"seq":…,"server_time":…,"from":…,"mid":…, and then `payload` behind its brace. `payload` is an object with
// at least one field; `conv` and `sender` are valid names (so nothing in them needs escaping).
std::string stamped(std::string_view conv, Seq seq, TimeMs server_time, std::string_view sender, const Uuid& mid,
                    std::string_view payload);

// The conversation and seq that stamped() wrote at the start of `bytes`; false where they do not stand there.
bool read_stamp(std::string_view bytes, std::string_view* conv, Seq* seq);

// Makes UUIDs of version 7 (RFC 9562): the time in front, so that they sort, the rest by chance. One thread.
class UuidMaker {
 public:
  UuidMaker();
  Uuid make(TimeMs now);

 private:
  std::mt19937_64 random_;
};

}  // namespace chat
