// Which handler answers which operation.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "bridge/rpc/request.h"

namespace chat {

// A step from a request to its reply. Runs on the worker's thread, one request at a time. May throw what
// storage/errors.h declares: StoreRefused becomes a refusal with its own code and sentence, StoreUnavailable and
// StoreInDoubt become `unavailable`. Must be safe to run again for the same request: clients repeat what they got no
// answer to.
using Handler = std::function<Reply(const Request&)>;

class Registry {
 public:
  // Throws std::logic_error where the operation has a handler already.
  void add(std::string operation, Handler handler);
  // nullptr: nobody answers this operation. Valid as long as the registry.
  const Handler* find(std::string_view operation) const;

 private:
  std::map<std::string, Handler, std::less<>> handlers_;
};

}  // namespace chat
