// The broker's side of a mailbox, for tests of the threads that post to it: gathers, and waits for what has to come.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "plugin/threads/mailbox.h"
#include "tests/support/wait.h"

namespace chat::test {

class Notices {
 public:
  Mailbox& box() { return box_; }

  // All of one kind that came so far. The test's thread only.
  template <typename Kind>
  const std::vector<Kind>& all() {
    gather();
    return std::get<std::vector<Kind>>(kinds_);
  }
  template <typename Kind>
  const std::vector<Kind>& at_least(std::size_t count, const std::string& what) {
    eventually(what, [&] { return all<Kind>().size() >= count; });
    return all<Kind>();
  }

 private:
  void gather() {
    for (auto& notice : box_.take()) {
      std::visit(
          [this](auto& one) { std::get<std::vector<std::decay_t<decltype(one)>>>(kinds_).push_back(std::move(one)); },
          notice);
    }
  }
  Mailbox box_;
  std::tuple<std::vector<ConversationLoaded>, std::vector<EventsLoaded>, std::vector<UserLoaded>,
             std::vector<DeviceOpened>, std::vector<DevicePlaced>, std::vector<DeviceRefused>, std::vector<PageRead>,
             std::vector<Committed>, std::vector<Changed>, std::vector<LogLine>>
      kinds_;
};

}  // namespace chat::test
