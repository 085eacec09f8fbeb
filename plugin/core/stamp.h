// What a message gets from the server: the id that is unique everywhere, and the delivered bytes (storage/stamped.h).
#pragma once

#include <memory>
#include <random>
#include <string>

#include "storage/stamped.h"
#include "storage/types.h"

namespace chat {

// What is delivered: shared, because one message goes to many.
using Bytes = std::shared_ptr<const std::string>;

// Makes UUIDs of version 7 (RFC 9562): the time in front, so that they sort, the rest by chance. One thread.
class UuidMaker {
 public:
  UuidMaker();
  Uuid make(TimeMs now);

 private:
  std::mt19937_64 random_;
};

}  // namespace chat
