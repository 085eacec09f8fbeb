// Lets any thread end a call that another thread is blocked in on a socket.
#pragma once

#include <mutex>

namespace chat {

// Threads: watch() on the thread that owns the socket; trip() and tripped() on any. Once tripped, it stays so.
class Interrupter {
 public:
  // `socket` is open until watch() is called again; -1 says that there is none. Where trip() came first, the socket is
  // shut at once.
  void watch(int socket) noexcept;
  // Shuts the socket down, so that whoever waits on it meets its end. Waits for nothing but watch().
  void trip() noexcept;
  bool tripped() const noexcept;

 private:
  mutable std::mutex mutex_;
  int socket_ = -1;
  bool tripped_ = false;
};

}  // namespace chat
