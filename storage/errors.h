// What can go wrong in a store, sorted by what the caller does next.
#pragma once

#include <stdexcept>
#include <string>

namespace chat {

class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// No connection, or it was lost before anything was sent to be committed: reconnect and repeat.
class StoreUnavailable : public StoreError {
 public:
  using StoreError::StoreError;
};

// The connection was lost inside COMMIT: the outcome is unknown. Reconnect and repeat; commit() says if it had
// happened.
class StoreInDoubt : public StoreError {
 public:
  using StoreError::StoreError;
};

// The request itself can't be carried out (a name that does not exist, a duplicate, a value out of bounds). Repeating
// it changes nothing. `code` is one of topics.md's refusal codes.
class StoreRefused : public StoreError {
 public:
  StoreRefused(std::string code, const std::string& what) : StoreError(what), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

// The store answers, but says what cannot be true (a checkpoint between two batches, an unknown schema). Stop and tell
// a person.
class StoreCorrupt : public StoreError {
 public:
  using StoreError::StoreError;
};

}  // namespace chat
