// Makes messages searchable behind their commit, on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "storage/search_index.h"

namespace chat {

// Threads: resume(), pause() and stop() on any, one at a time.
class SearchWorker {
 public:
  // Starts the thread, paused.
  explicit SearchWorker(std::unique_ptr<SearchIndex> index);
  ~SearchWorker();
  SearchWorker(const SearchWorker&) = delete;
  SearchWorker& operator=(const SearchWorker&) = delete;

  void resume();
  // Finishes the messages under way and begins no others. Does not wait for that.
  void pause();
  // Ends the thread, also where PostgreSQL does not answer. Again: nothing.
  void stop();

 private:
  void run();
  bool working();
  void pause_for(std::chrono::milliseconds duration);

  const std::unique_ptr<SearchIndex> index_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool leading_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace chat
