#include "plugin/auth/authenticator.h"

#include <utility>

#include "plugin/auth/digest.h"
#include "plugin/auth/token.h"
#include "plugin/core/refusal.h"

namespace chat {
namespace {

constexpr std::size_t kEndedAtOnce = 200;  // a tick is never longer than some milliseconds

std::string who(std::string_view user, std::string_view device) {
  return "user " + in_quotes(user) + " on " + in_quotes(device);
}

}  // namespace

Authenticator::Authenticator(AuthOptions options, const Clock& clock, Broker& broker)
    : options_(std::move(options)), clock_(clock), broker_(broker) {}

std::string Authenticator::open() {
  KeyRing ring;
  auto why = load_keys(options_.keys, &ring);
  if (!why.empty()) return why;
  for (const auto& warning : ring.warnings) broker_.log(LogLevel::kWarning, warning);
  broker_.log(LogLevel::kInfo,
              std::to_string(ring.keys.size()) + " keys for tokens were read from " + options_.keys.path);
  checker_.emplace(std::move(ring.keys), options_.rules);
  return {};
}

Authenticator::Answer Authenticator::login(const ClientRef& client, std::string_view password) {
  if (!looks_like_token(password)) {
    book_.forget(client.handle);
    return Answer::kNotOurs;
  }
  const auto now = clock_.now();
  const auto proof = sha256(std::string(client.user) + " " + std::string(password));
  // Asked anew behind a SIGHUP: what was checked once, by a key that is still here, need not be checked again.
  const auto* before = book_.lasting(client.handle, now);
  if (before != nullptr && before->proof == proof && before->device == client.device && checker_->has_key(before->key))
    return Answer::kAdmit;
  book_.forget(client.handle);
  auto verdict = checker_->check(password, client.user, now);
  if (!verdict.refusal.empty()) {
    broker_.log(LogLevel::kWarning,
                "The token of " + who(client.user, client.device) + " is refused: " + verdict.refusal);
    return Answer::kRefuse;
  }
  book_.write({.handle = client.handle,
               .device = std::string(client.device),
               .user = std::string(client.user),
               .proof = proof,
               .key = std::move(verdict.key)},
              verdict.ends_at);
  return Answer::kAdmit;
}

void Authenticator::disconnected(const void* handle) {
  book_.forget(handle);
}

void Authenticator::reload() {
  const auto why = open();
  if (!why.empty()) broker_.log(LogLevel::kError, why + " The keys that were read before stay in force.");
}

void Authenticator::tick(const std::function<bool(const ExpiryBook::Connection&)>& present) {
  for (const auto& ended : book_.take_ended(clock_.now(), kEndedAtOnce)) {
    if (!present(ended)) continue;
    broker_.log(LogLevel::kInfo, "The token of " + who(ended.user, ended.device) + " has ended, and so its connection");
    broker_.kick(ended.device);
  }
}

}  // namespace chat
