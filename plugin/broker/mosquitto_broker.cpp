#include "plugin/broker/mosquitto_broker.h"

#include "plugin/broker/mosquitto_api.h"

namespace chat {
namespace {

void give(const Handover::Parcel& parcel) {
  mosquitto_broker_publish_copy(parcel.device.c_str(), parcel.topic.c_str(), static_cast<int>(parcel.payload.size()),
                                (*parcel.payload).data(), parcel.qos, false, nullptr);
}

}  // namespace

void MosquittoBroker::publish_to(const Recipient& recipient, std::string topic, Bytes payload, int qos) {
  Handover::Parcel parcel{.device = recipient.device,
                          .generation = recipient.generation,
                          .topic = std::move(topic),
                          .payload = std::move(payload),
                          .qos = qos};
  if (mosquitto_api::is_2_1()) {
    give(parcel);
  } else {
    handover_.add(std::move(parcel));
  }
}

void MosquittoBroker::deliver(const IsThere& is_there) {
  handover_.release(is_there, give);
}

void MosquittoBroker::publish(const std::string& topic, std::string_view payload, int qos) {
  mosquitto_broker_publish_copy(nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), qos, false,
                                nullptr);
}

void MosquittoBroker::kick(const std::string& device) {
  mosquitto_kick_client_by_clientid(device.c_str(), true);
}

int MosquittoBroker::subscriptions(const void* handle) {
  return mosquitto_client_sub_count(static_cast<const struct mosquitto*>(handle));
}

bool MosquittoBroker::keeps_session(const void* handle) {
  return !mosquitto_client_clean_session(static_cast<const struct mosquitto*>(handle));
}

void MosquittoBroker::log(LogLevel level, const std::string& text) {
  int to = MOSQ_LOG_INFO;
  switch (level) {
    case LogLevel::kError:
      to = MOSQ_LOG_ERR;
      break;
    case LogLevel::kWarning:
      to = MOSQ_LOG_WARNING;
      break;
    case LogLevel::kInfo:
      to = MOSQ_LOG_INFO;
      break;
    case LogLevel::kDebug:
      to = MOSQ_LOG_DEBUG;
      break;
  }
  mosquitto_log_printf(to, "mosquitto-chat: %s", text.c_str());
}

}  // namespace chat
