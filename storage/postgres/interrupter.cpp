#include "storage/postgres/interrupter.h"

#include <sys/socket.h>

namespace chat {

void Interrupter::watch(int socket) noexcept {
  const std::lock_guard lock(mutex_);
  socket_ = socket;
  if (tripped_ && socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

void Interrupter::trip() noexcept {
  const std::lock_guard lock(mutex_);
  tripped_ = true;
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

bool Interrupter::tripped() const noexcept {
  const std::lock_guard lock(mutex_);
  return tripped_;
}

}  // namespace chat
