#include "tests/support/requesting.h"

#include <utility>

namespace chat::test {

nlohmann::json request(ChatClient& client, const std::string& operation, nlohmann::json fields) {
  const auto id = client.new_id();
  fields["id"] = id;
  client.mqtt().publish("chat/rpc/" + operation, fields);
  return client.mqtt()
      .expect("the answer to " + operation,
              [&](const Message& message) {
                return field(message, "id") == id && message.topic == client.own("reply/" + client.device());
              })
      .json;
}

}  // namespace chat::test
