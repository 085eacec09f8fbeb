// Hears of changes that others make in PostgreSQL (chatctl, the bridge, another broker) and passes them on to the core.
// Threads: its own, between start() and stop().
#pragma once

#include <memory>

#include "plugin/threads/health.h"
#include "plugin/threads/mailbox.h"
#include "plugin/threads/worker.h"
#include "storage/store.h"

namespace chat {

class ChangeListener {
 public:
  // All references outlive the object.
  ChangeListener(std::unique_ptr<Store> store, Mailbox& mailbox, Health& health);
  ~ChangeListener();

  void start();
  void stop();

 private:
  void run();

  std::unique_ptr<Store> store_;
  Mailbox& mailbox_;
  Health& health_;
  Worker worker_;
};

}  // namespace chat
