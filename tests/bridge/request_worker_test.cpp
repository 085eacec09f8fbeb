#include "bridge/request_worker.h"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/bridge/envelopes.h"
#include "tests/support/wait.h"

namespace chat {
namespace {

using nlohmann::json;
using test::wrapped;

// A worker whose handler `hold` waits until the test opens the gate, and which collects what was published.
class RequestWorkerTest : public ::testing::Test {
 protected:
  RequestWorkerTest() : desk_("chat", registry_) {
    registry_.add("hold", [this](const Request&) {
      ++started_;
      opened_.wait();
      return Reply::success({});
    });
    registry_.add("thread", [](const Request&) {
      return Reply::success({{"other", std::hash<std::thread::id>{}(std::this_thread::get_id())}});
    });
  }

  void start(QueueLimits limits) {
    worker_ = std::make_unique<RequestWorker>(
        desk_,
        [this](const Outgoing& outgoing) {
          const auto reply = json::parse(outgoing.payload);
          const std::scoped_lock lock(mutex_);
          replies_[reply["id"]] = reply;
        },
        [] {}, limits);
  }

  void send(const std::string& id, const std::string& operation = "hold", const std::string& filler = {}) {
    worker_->accept(
        {"chat/rpc/" + operation, wrapped(json{{"id", id}, {"filler", filler}}.dump()), std::nullopt, std::nullopt});
  }

  // "", "ok" or the refusal's code.
  std::string outcome(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    if (!replies_.contains(id)) return {};
    return replies_[id]["ok"] ? "ok" : replies_[id]["code"].get<std::string>();
  }

  void await_outcome(const std::string& id, const std::string& wanted) {
    test::eventually("the answer to " + id, [&] { return !outcome(id).empty(); });
    EXPECT_EQ(outcome(id), wanted) << id;
  }

  void await_started(int count) {
    test::eventually("the handler's start", [&] { return started_ >= count; });
  }

  Registry registry_;
  Desk desk_;
  std::atomic<int> started_ = 0;
  std::promise<void> gate_;
  std::shared_future<void> opened_ = gate_.get_future().share();
  std::mutex mutex_;
  std::map<std::string, json> replies_;
  std::unique_ptr<RequestWorker> worker_;  // ends before what it uses
};

TEST_F(RequestWorkerTest, HandlersRunOnAnotherThread) {
  start({});
  send("1", "thread");
  await_outcome("1", "ok");
  EXPECT_NE(replies_["1"]["other"], std::hash<std::thread::id>{}(std::this_thread::get_id()));
}

TEST_F(RequestWorkerTest, AFullQueueAnswersUnavailableAtOnceAndLosesNothing) {
  start({.requests = 2});
  send("running");
  await_started(1);
  send("first");
  send("second");
  send("too much");
  EXPECT_EQ(outcome("too much"), "unavailable") << "before any handler finished";
  EXPECT_EQ(outcome("first"), "");
  gate_.set_value();
  for (const std::string id : {"running", "first", "second"}) await_outcome(id, "ok");
  send("later");
  await_outcome("later", "ok");
}

TEST_F(RequestWorkerTest, TheQueueIsBoundedInBytesAsWell) {
  start({.requests = 100, .bytes = 2000});
  send("running");
  await_started(1);
  send("small", "hold", std::string(500, 'x'));
  send("large", "hold", std::string(1500, 'x'));
  EXPECT_EQ(outcome("large"), "unavailable");
  EXPECT_EQ(outcome("small"), "");
  gate_.set_value();
  await_outcome("small", "ok");
  send("never fits", "hold", std::string(3000, 'x'));
  EXPECT_EQ(outcome("never fits"), "unavailable");
  send("large again", "hold", std::string(1500, 'x'));
  await_outcome("large again", "ok");
}

TEST_F(RequestWorkerTest, StoppingFinishesTheRunningRequestAndRefusesTheRest) {
  start({});
  send("running");
  await_started(1);
  send("waiting");
  auto stopped = std::async(std::launch::async, [this] { worker_->stop(); });
  await_outcome("waiting", "unavailable");
  EXPECT_EQ(outcome("running"), "");
  gate_.set_value();
  stopped.get();
  EXPECT_EQ(outcome("running"), "ok");
  send("late");
  EXPECT_EQ(outcome("late"), "unavailable");
  EXPECT_EQ(started_, 1);
}

}  // namespace
}  // namespace chat
