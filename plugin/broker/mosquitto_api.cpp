#include "plugin/broker/mosquitto_api.h"

extern "C" __attribute__((weak)) int mosquitto_client_port(const struct mosquitto* client);

namespace chat::mosquitto_api {

bool is_2_1() {
  return mosquitto_client_port != nullptr;
}

int quota_exceeded() {
  constexpr int kQuotaExceeded = -6;  // MOSQ_ERR_QUOTA_EXCEEDED, which 2.1 added: 2.0 would close the connection
  return is_2_1() ? kQuotaExceeded : MOSQ_ERR_ACL_DENIED;
}

}  // namespace chat::mosquitto_api
