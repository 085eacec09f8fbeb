#include "plugin/broker/mosquitto_api.h"

extern "C" __attribute__((weak)) int mosquitto_client_port(const struct mosquitto* client);

namespace chat::mosquitto_api {

bool is_2_1() {
  return mosquitto_client_port != nullptr;
}

}  // namespace chat::mosquitto_api
