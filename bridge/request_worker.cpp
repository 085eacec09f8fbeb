#include "bridge/request_worker.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "bridge/rpc/codes.h"
#include "bridge/rpc/quote.h"

namespace chat {
namespace {

constexpr char kFull[] = "too many requests are waiting; send it with the same id again in a while";
constexpr char kStopping[] = "the bridge is stopping; send the request with the same id again";

}  // namespace

RequestWorker::RequestWorker(const Desk& desk, Publish publish, std::function<void()> await_calm, QueueLimits limits)
    : desk_(desk), publish_(std::move(publish)), await_calm_(std::move(await_calm)), queue_(limits), thread_([this] {
        run();
      }) {}

RequestWorker::~RequestWorker() {
  stop();
}

void RequestWorker::accept(Incoming incoming) {
  switch (queue_.push(std::move(incoming))) {
    case RequestQueue::Push::kTaken:
      return;
    // push() left `incoming` whole where it did not take it.
    case RequestQueue::Push::kFull:
      return deliver(desk_.refuse(incoming, code::kUnavailable, kFull));  // NOLINT(bugprone-use-after-move)
    case RequestQueue::Push::kClosed:
      return deliver(desk_.refuse(incoming, code::kUnavailable, kStopping));  // NOLINT(bugprone-use-after-move)
  }
}

void RequestWorker::stop() {
  for (const Incoming& incoming : queue_.close()) deliver(desk_.refuse(incoming, code::kUnavailable, kStopping));
  if (thread_.joinable()) thread_.join();
}

void RequestWorker::run() {
  for (;;) {
    await_calm_();
    const auto incoming = queue_.pop();
    if (!incoming) return;
    deliver(desk_.answer(*incoming));
  }
}

void RequestWorker::deliver(Handled handled) {
  if (!handled.trouble.empty()) spdlog::warn("{}", handled.trouble);
  if (!handled.answer) return;
  spdlog::debug("request {} of {} on {}: {}", in_quotes(handled.operation), handled.user, in_quotes(handled.device),
                handled.code.empty() ? "ok" : handled.code);
  publish_(*std::move(handled.answer));
}

}  // namespace chat
