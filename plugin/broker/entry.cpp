// What the broker loads: its C entry points and callbacks, each a translation. C events in, the core's values through,
// C codes out; no exception passes this border.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "plugin/broker/mosquitto_api.h"
#include "plugin/broker/plugin.h"

#define CHAT_EXPORT __attribute__((visibility("default")))

namespace chat {
namespace {

constexpr int kPluginInterface = 5;

std::unique_ptr<Plugin> plugin;
mosquitto_plugin_id_t* plugin_id = nullptr;

std::string_view text_or_empty(const char* text) {
  return text != nullptr ? std::string_view(text) : std::string_view();
}

ClientRef client_of(const struct mosquitto* client) {
  return {.handle = client,
          .device = text_or_empty(client != nullptr ? mosquitto_client_id(client) : nullptr),
          .user = text_or_empty(client != nullptr ? mosquitto_client_username(client) : nullptr)};
}

// Runs a callback's body. What it throws (memory, a bug) costs this one event, not the broker.
template <typename Body>
int guarded(int on_error, Body body) {
  try {
    return body();
  } catch (const std::exception& error) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "mosquitto-chat: an event could not be handled: %s", error.what());
  } catch (...) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "mosquitto-chat: an event could not be handled");
  }
  return on_error;
}

// The same, where the body may have journaled something: the persister hears of it.
template <typename Body>
int guarded_and_rung(int on_error, Body body) {
  return guarded(on_error, [&] {
    const int result = body();
    plugin->rang();
    return result;
  });
}

int outside() {
  switch (plugin->options().acl_mode) {
    case AclMode::kAllow:
      return MOSQ_ERR_SUCCESS;
    case AclMode::kIgnore:
      return mosquitto_api::is_2_1() ? mosquitto_api::kIgnore : mosquitto_api::kDefer;
    case AclMode::kDefer:
      break;
  }
  return mosquitto_api::kDefer;
}

int on_acl_check(int, void* event_data, void*) {
  return guarded(MOSQ_ERR_ACL_DENIED, [&] {
    const auto* event = static_cast<const mosquitto_evt_acl_check*>(event_data);
    auto& hub = plugin->hub();
    const auto client = client_of(event->client);
    const auto topic = text_or_empty(event->topic);
    auto access = Access::kOutside;
    switch (event->access) {
      case MOSQ_ACL_READ:
        access = hub.may_read(client, topic, {static_cast<const char*>(event->payload), event->payloadlen});
        break;
      case MOSQ_ACL_WRITE:
        access = hub.may_write(client, topic);
        break;
      case MOSQ_ACL_SUBSCRIBE:
        access = hub.may_subscribe(client, topic, event->qos);
        plugin->rang();  // the end of what a device had before may be journaled; reading and writing ask only
        break;
      case MOSQ_ACL_UNSUBSCRIBE:
        access = hub.may_unsubscribe(client, topic);
        plugin->rang();
        break;
      default:
        break;
    }
    switch (access) {
      case Access::kGranted:
        return static_cast<int>(MOSQ_ERR_SUCCESS);
      case Access::kRefused:
        return static_cast<int>(MOSQ_ERR_ACL_DENIED);
      case Access::kOutside:
        break;
    }
    return outside();
  });
}

int on_message(int, void* event_data, void*) {
  return guarded_and_rung(MOSQ_ERR_ACL_DENIED, [&] {
    auto* event = static_cast<mosquitto_evt_message*>(event_data);
    const std::string_view payload(static_cast<const char*>(event->payload), event->payloadlen);
    const auto verdict =
        plugin->hub().published(client_of(event->client), text_or_empty(event->topic), payload, event->qos);
    using Kind = PublishVerdict::Kind;
    if (verdict.kind == Kind::kOutside) return static_cast<int>(MOSQ_ERR_SUCCESS);
    if (verdict.kind == Kind::kRefuse)
      return verdict.quota ? mosquitto_api::quota_exceeded() : static_cast<int>(MOSQ_ERR_ACL_DENIED);
    if (verdict.kind == Kind::kReplace) {
      const std::string_view bytes = *verdict.payload;
      void* copy = nullptr;
      if (!bytes.empty()) {
        // One byte more: parts of the broker rely on a NUL behind the payload.
        copy = mosquitto_malloc(bytes.size() + 1);
        if (copy == nullptr) throw std::bad_alloc();
        std::memcpy(copy, bytes.data(), bytes.size());
        static_cast<char*>(copy)[bytes.size()] = '\0';
      }
      event->payload = copy;  // the broker frees the old one
      event->payloadlen = static_cast<std::uint32_t>(bytes.size());
    }
    event->retain = false;
    return static_cast<int>(MOSQ_ERR_SUCCESS);
  });
}

// 2.1 ticks ten times a second, 2.0 at each turn of its loop. So on 2.1 a client may have come, in the memory of one
// that left, and have published before the next tick.
int on_connect(int, void*, void*) {
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    plugin->hub().connected();
    return static_cast<int>(MOSQ_ERR_SUCCESS);
  });
}

int on_disconnect(int, void* event_data, void*) {
  return guarded_and_rung(MOSQ_ERR_SUCCESS, [&] {
    // Both events begin alike: the client behind one reserved pointer.
    const auto* event = static_cast<const mosquitto_evt_disconnect*>(event_data);
    const auto client = client_of(event->client);
    plugin->hub().disconnected(client.handle, client.device);
    if (plugin->authenticator() != nullptr) plugin->authenticator()->disconnected(client.handle);
    return static_cast<int>(MOSQ_ERR_SUCCESS);
  });
}

int on_tick(int, void* event_data, void*) {
  return guarded_and_rung(MOSQ_ERR_SUCCESS, [&] {
    plugin->tick();
    mosquitto_api::tick_again_within_100_ms(*static_cast<mosquitto_evt_tick*>(event_data));
    return static_cast<int>(MOSQ_ERR_SUCCESS);
  });
}

// Registered only where there are keys for tokens: with this event the broker refuses whom nobody lets in, also where
// anonymous clients are allowed.
int on_basic_auth(int, void* event_data, void*) {
  return guarded(MOSQ_ERR_AUTH, [&] {
    const auto* event = static_cast<const mosquitto_evt_basic_auth*>(event_data);
    auto client = client_of(event->client);
    client.user = text_or_empty(event->username);
    using Answer = Authenticator::Answer;
    switch (plugin->authenticator()->login(client, text_or_empty(event->password))) {
      case Answer::kAdmit:
        return static_cast<int>(MOSQ_ERR_SUCCESS);
      case Answer::kNotOurs:
        return static_cast<int>(MOSQ_ERR_PLUGIN_DEFER);
      case Answer::kRefuse:
        break;
    }
    return static_cast<int>(MOSQ_ERR_AUTH);
  });
}

// Of ours only the keys for tokens are read again; the answer decides whether the broker's other plugins are asked
// (2.0) or it ends (2.1).
int on_reload(int, void*, void*) {
  const int go_on = mosquitto_api::is_2_1() ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
  return guarded(go_on, [&] {
    if (plugin->authenticator() != nullptr) plugin->authenticator()->reload();
    return go_on;
  });
}

const std::pair<int, MOSQ_FUNC_generic_callback> kCallbacks[] = {
    {MOSQ_EVT_ACL_CHECK, on_acl_check}, {MOSQ_EVT_MESSAGE, on_message}, {MOSQ_EVT_DISCONNECT, on_disconnect},
    {MOSQ_EVT_TICK, on_tick},           {MOSQ_EVT_RELOAD, on_reload},
};
const std::pair<int, MOSQ_FUNC_generic_callback> kCallbacksOf21[] = {
    {mosquitto_api::kEventConnect, on_connect},
    {mosquitto_api::kEventClientOffline, on_disconnect},
};

int register_callbacks() {
  for (const auto& [event, callback] : kCallbacks) {
    const int result = mosquitto_callback_register(plugin_id, event, callback, nullptr, nullptr);
    if (result != MOSQ_ERR_SUCCESS) return result;
  }
  for (const auto& [event, callback] : kCallbacksOf21) {
    const int result = mosquitto_callback_register(plugin_id, event, callback, nullptr, nullptr);
    if (result != MOSQ_ERR_SUCCESS && mosquitto_api::is_2_1()) return result;
  }
  if (plugin->authenticator() == nullptr) return MOSQ_ERR_SUCCESS;
  return mosquitto_callback_register(plugin_id, MOSQ_EVT_BASIC_AUTH, on_basic_auth, nullptr, nullptr);
}

// 2.0 forgets to free what it noted of those that are still registered when it ends. What was never registered is
// refused.
void unregister_callbacks() {
  for (const auto& [event, callback] : kCallbacks) mosquitto_callback_unregister(plugin_id, event, callback, nullptr);
  for (const auto& [event, callback] : kCallbacksOf21)
    mosquitto_callback_unregister(plugin_id, event, callback, nullptr);
  mosquitto_callback_unregister(plugin_id, MOSQ_EVT_BASIC_AUTH, on_basic_auth, nullptr);
}

int start(const mosquitto_opt* given, int count) {
  GivenOptions options;
  for (int i = 0; i < count; ++i) options.emplace_back(given[i].key, text_or_empty(given[i].value));
  Options read;
  std::string why = read_options(options, &read);
  if (why.empty()) plugin = Plugin::start(read, &why);
  if (!plugin) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "mosquitto-chat: %s", why.c_str());
    return MOSQ_ERR_INVAL;
  }
  const int result = register_callbacks();
  if (result == MOSQ_ERR_SUCCESS) {
    mosquitto_log_printf(MOSQ_LOG_INFO, "mosquitto-chat: topics below %s/, journal in %s", read.hub.prefix.c_str(),
                         read.journal.folder.c_str());
  }
  return result;
}

}  // namespace
}  // namespace chat

extern "C" {

CHAT_EXPORT int mosquitto_plugin_version(int supported_version_count, const int* supported_versions) {
  const auto* const end = supported_versions + supported_version_count;
  return std::find(supported_versions, end, chat::kPluginInterface) != end ? chat::kPluginInterface : -1;
}

CHAT_EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void**, struct mosquitto_opt* options,
                                      int option_count) {
  chat::plugin_id = identifier;
  try {
    return chat::start(options, option_count);
  } catch (const std::exception& error) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "mosquitto-chat: can't start: %s", error.what());
    return MOSQ_ERR_UNKNOWN;
  }
}

CHAT_EXPORT int mosquitto_plugin_cleanup(void*, struct mosquitto_opt*, int) {
  chat::unregister_callbacks();
  chat::plugin.reset();
  return MOSQ_ERR_SUCCESS;
}

}  // extern "C"
