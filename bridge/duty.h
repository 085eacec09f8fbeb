// What the bridge does while it leads: answers requests, applies commands, tells receipts, unread counts and who is
// here, and makes messages searchable. One that stands by does nothing of this, and is not connected to the broker.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "bridge/commands/command_worker.h"
#include "bridge/mqtt/broker_link.h"
#include "bridge/options.h"
#include "bridge/presence/presence_board.h"
#include "bridge/presence/presence_mirror.h"
#include "bridge/presence/presence_worker.h"
#include "bridge/receipts/receipt_worker.h"
#include "bridge/request_worker.h"
#include "bridge/rpc/desk.h"
#include "bridge/search/search_worker.h"
#include "bridge/signals/signal_reader.h"
#include "bridge/standings/standing_log.h"
#include "bridge/unread/unread_worker.h"

namespace chat {

// Threads: one at a time.
class Duty {
 public:
  // All outlive it.
  Duty(const Options& options, const Desk& desk, PresenceBoard& board, StandingLog& log)
      : options_(options), desk_(desk), board_(board), log_(log) {}
  ~Duty() { stop(); }
  Duty(const Duty&) = delete;
  Duty& operator=(const Duty&) = delete;

  void start();  // again, or behind pause(): goes on
  void pause();  // applies and indexes nothing until start(); requests are answered, and what is so is told
  void stop();   // ends everything, and disconnects

 private:
  // Both on threads of the link's: they must not wait.
  using OnSessions = std::function<void(const SessionSignals&)>;
  using OnLink = std::function<void(bool up)>;

  void start_presence(BrokerLink* link);
  void start_unread(BrokerLink* link);
  void take(Incoming incoming);
  void hear_sessions(std::string_view payload);

  const Options& options_;
  const Desk& desk_;
  PresenceBoard& board_;
  StandingLog& log_;
  std::unique_ptr<BrokerLink> link_;
  std::unique_ptr<RequestWorker> requests_;
  std::unique_ptr<CommandWorker> commands_;
  std::unique_ptr<ReceiptWorker> receipts_;
  std::unique_ptr<UnreadWorker> unread_;
  std::unique_ptr<PresenceWorker> presence_;
  std::unique_ptr<PresenceMirror> mirror_;  // none: there is no Redis
  SignalReader signals_;                    // Paho's thread only
  std::vector<OnSessions> on_sessions_;     // these two: unchanged while the link is there
  std::vector<OnLink> on_link_;
  std::unique_ptr<SearchWorker> search_;
};

}  // namespace chat
