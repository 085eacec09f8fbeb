// Which connections end when: those that came in by a token, in the order of their ends. Thread: the broker's.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/types.h"

namespace chat {

class ExpiryBook {
 public:
  struct Connection {
    const void* handle = nullptr;  // identity of the connection, as in ClientRef
    std::string device;
    std::string user;
    std::string proof;  // the digest of user and token
    std::string key;    // the fingerprint of the key that the token was signed with
  };

  // The connection ends at that moment of the wall clock; what was written of it before is forgotten.
  void write(Connection connection, TimeMs ends_at);
  // It is gone, or in by other means now. Nothing happens where it isn't in the book.
  void forget(const void* handle);

  // What is written of it, or null: nothing, or its end has come. Until the next call that changes something.
  const Connection* lasting(const void* handle, TimeMs now) const;

  // Takes those out whose end has come, the earliest first, at most `most` of them.
  std::vector<Connection> take_ended(TimeMs now, std::size_t most);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    TimeMs ends_at = 0;
    Connection connection;
  };
  std::unordered_map<const void*, Entry> entries_;
  std::set<std::pair<TimeMs, const void*>> ends_;  // one of each entry
};

}  // namespace chat
