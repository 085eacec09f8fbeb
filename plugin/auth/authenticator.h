// Who gets in by a token, and until when. Only there when the operator named keys for tokens; without it the broker
// decides alone.
//
// Invariants
//  (1) A password that means to be a token is judged here, for good: a bad one is refused, never handed on. Any other
//      password, and none, is left to the broker's password file: so the bridge, and users without tokens, still get
//      in.
//  (2) No token or password, and nothing that is secret, is ever part of a log line.
//  (3) A connection that came in by a token is ended at the first tick behind the token's end, and never within a
//      callback.
// Thread: the broker's. What it does there is arithmetic; only open() and reload() read a file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/auth/expiry_book.h"
#include "plugin/auth/key_file.h"
#include "plugin/auth/token_checker.h"
#include "plugin/core/clock.h"
#include "plugin/core/directory.h"
#include "plugin/core/ports.h"

namespace chat {

struct AuthOptions {
  KeySource keys;
  TokenRules rules;
};

class Authenticator {
 public:
  enum class Answer : std::uint8_t { kAdmit, kRefuse, kNotOurs };

  // References outlive the object.
  Authenticator(AuthOptions options, const Clock& clock, Broker& broker);

  // Reads the keys. Before the first login(). An empty answer: all is well; else a sentence.
  std::string open();

  // Somebody connects; or, behind a SIGHUP, the broker asks anew about who is connected.
  Answer login(const ClientRef& client, std::string_view password);
  void disconnected(const void* handle);

  // The keys are read anew; a file that can't be used is told in the log and the old keys stay. The broker has all who
  // are connected judged by them right behind it. This is a file read on the broker's thread, as the broker's own
  // reading of its configuration and passwords is in that moment.
  void reload();

  // Ends the connections whose tokens have ended, some hundreds at a time. `present`: whether that connection is the
  // one that has its client id, as far as is known: another that took the id over must not be ended in its place.
  void tick(const std::function<bool(const ExpiryBook::Connection&)>& present);

 private:
  const AuthOptions options_;
  const Clock& clock_;
  Broker& broker_;
  std::optional<TokenChecker> checker_;
  ExpiryBook book_;
};

}  // namespace chat
