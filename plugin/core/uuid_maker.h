// The id of the server's that each message gets, and that is unique everywhere.
#pragma once

#include <random>

#include "storage/types.h"

namespace chat {

// Makes UUIDs of version 7 (RFC 9562): the time in front, so that they sort, the rest by chance. One thread.
class UuidMaker {
 public:
  UuidMaker();
  Uuid make(TimeMs now);

 private:
  std::mt19937_64 random_;
};

}  // namespace chat
