// What a sender reads on its ack topic.
#pragma once

#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

// Gathers acknowledgements into {"acks":[{"id","conv","seq","server_time","status":"sent"}, …]}. An `id` that was not
// given is null.
class AckJson {
 public:
  void add(std::string_view id, std::string_view conv, Seq seq, TimeMs server_time);
  std::size_t count() const { return count_; }
  // The JSON of what was added; starts over.
  std::string take();

 private:
  std::string entries_;
  std::size_t count_ = 0;
};

}  // namespace chat
