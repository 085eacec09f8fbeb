#include "plugin/broker/cancellation.h"

#include <pthread.h>

namespace chat {

// In this order, and back in the other: there is no moment at which it is asynchronous and enabled.
Uncancelled::Uncancelled() {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state_);
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type_);
}

Uncancelled::~Uncancelled() {
  pthread_setcanceltype(type_, nullptr);
  pthread_setcancelstate(state_, nullptr);
}

}  // namespace chat
