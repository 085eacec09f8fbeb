// The running plugin: owns the journal, the core and the threads, and puts them together. One per broker process.
// Thread: the broker's, which is the one that makes it.
#pragma once

#include <memory>
#include <string>

#include "plugin/broker/cancellation.h"
#include "plugin/broker/options.h"
#include "plugin/broker/parts.h"
#include "plugin/broker/wake.h"
#include "plugin/core/hub.h"
#include "plugin/reader/change_listener.h"
#include "plugin/reader/reader.h"
#include "plugin/threads/aside.h"

namespace chat {

class Plugin {
 public:
  // Null: the plugin can't run; `*why` is a sentence. PostgreSQL being away is no reason.
  static std::unique_ptr<Plugin> start(const Options& options, std::string* why);
  ~Plugin();

  Hub& hub() { return *hub_; }
  Authenticator* authenticator() { return authenticator_.get(); }  // null: no tokens
  const Options& options() const { return options_; }

  void tick();
  void rang();  // behind each callback: if something was journaled, the persister hears of it

 private:
  class RequestRouter;
  explicit Plugin(const Options& options);
  void recover();

  Options options_;
  Parts parts_;
  std::unique_ptr<Broker> broker_;
  Aside aside_;
  Wake wake_;
  Mailbox mailbox_;
  Health health_{mailbox_};
  Progress progress_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<RequestRouter> requests_;
  std::unique_ptr<Hub> hub_;
  // Started, stopped and destroyed aside.
  std::unique_ptr<Persister> persister_;
  std::unique_ptr<Reader> loader_;  // conversations, users, devices: short, and somebody waits
  std::unique_ptr<Reader> pager_;   // pages of messages: long
  std::unique_ptr<ChangeListener> changes_;
  Position rung_ = 0;
  Uncancelled uncancelled_;
};

}  // namespace chat
