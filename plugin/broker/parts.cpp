#include "plugin/broker/parts.h"

#include "plugin/broker/mosquitto_broker.h"

namespace chat {

Parts chosen_parts() {
  return {.make_broker = [] { return std::make_unique<MosquittoBroker>(); }, .open_store = open_postgres};
}

}  // namespace chat
