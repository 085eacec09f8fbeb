// Looks into PostgreSQL the moment somebody is told `sent`: is the message there? On a connection and a thread of its
// own, past every proxy. While PostgreSQL can't be asked, nothing is known, and the log says so.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "tests/chaos/operations.h"

namespace chat::test {

class Witness {
 public:
  Witness(std::string postgres, OperationsFile& log);
  ~Witness();  // when all that it was told of is looked at
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  void told_sent(const std::string& device, const std::string& id, const std::string& conv, std::int64_t seq);

 private:
  void run();

  const std::string postgres_;
  OperationsFile& log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Operation> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace chat::test
