// The broker's C interface, with what its headers leave out, in the order in which Debian's headers need each other.
#pragma once

#include <mosquitto.h>
#if LIBMOSQUITTO_VERSION_NUMBER < 2001000  // from 2.1 on the first has it all
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#endif

namespace chat::mosquitto_api {

// Event numbers that Mosquitto 2.1 added; older brokers answer their registration with MOSQ_ERR_NOT_SUPPORTED.
inline constexpr int kEventConnect = 11;
inline constexpr int kEventClientOffline = 28;

// Answers to MOSQ_EVT_ACL_CHECK beside MOSQ_ERR_SUCCESS and MOSQ_ERR_ACL_DENIED.
inline constexpr int kDefer = MOSQ_ERR_PLUGIN_DEFER;
inline constexpr int kIgnore =
    32;  // Mosquitto 2.1: as if the plugin were absent; older brokers would disconnect the client

// The answer to MOSQ_EVT_MESSAGE for which an MQTT 5 client is told 0x97 (quota exceeded) and stays connected; older
// brokers have none, and with them it is 0x87 (not authorised).
int quota_exceeded();

// Mosquitto 2.1 built without websockets would otherwise sleep for a day. 2.0 ignores it; what it calls next_ns
// is 2.1's next_ms, and either runs what was built with the other's headers.
inline void tick_again_within_100_ms(mosquitto_evt_tick& tick) {
#if LIBMOSQUITTO_VERSION_NUMBER < 2001000
  tick.next_ns = 100;
#else
  tick.next_ms = 100;
#endif
}

// Whether the running broker is Mosquitto 2.1 or later: one of its functions exists there only.
bool is_2_1();

}  // namespace chat::mosquitto_api
