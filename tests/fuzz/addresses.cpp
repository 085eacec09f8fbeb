// Where the bridge's broker and Redis are: an address that is taken means the same when it is written again, and one
// that is refused is shown without its password.
#include <stdexcept>
#include <string>

#include "bridge/mqtt/broker_uri.h"
#include "storage/redis/redis_uri.h"
#include "tests/fuzz/target.h"

namespace chat::fuzz {
namespace {

void check_broker(std::string_view address) {
  try {
    const auto uri = parse_broker_uri(address);
    require(!uri.host.empty() && uri.port >= 1 && uri.port <= 65535, "a broker has a host and a port", address);
    const auto again = parse_broker_uri("mqtt://" + uri.host + ":" + std::to_string(uri.port));
    require(again.host == uri.host && again.port == uri.port, "written again it is the same broker", address);
    require(paho_uri(uri) == "tcp://" + uri.host + ":" + std::to_string(uri.port), "and for the library too", address);
  } catch (const std::invalid_argument& error) {
    require(std::string(error.what()).find(address) != std::string::npos, "what is refused is shown", error.what());
  }
}

void check_redis(std::string_view address) {
  const auto at = address.rfind('@');
  try {
    const auto uri = parse_redis_uri(address);
    require(uri.host.empty() == !uri.socket.empty(), "a Redis has a host or a socket", address);
    require(uri.port >= 1 && uri.port <= 65535 && uri.database >= 0, "its numbers are within bounds", address);
    require(uri.socket.empty() || uri.socket.front() == '/', "a socket is a whole path", address);
    require(at != std::string_view::npos || (uri.user.empty() && uri.password.empty()), "no login from nowhere",
            address);
    const auto shown = without_password(uri);
    if (uri.socket.find('@') != std::string::npos || uri.host.find('@') != std::string::npos) return;
    const auto again = parse_redis_uri(shown);
    require(again.host == uri.host && again.port == uri.port && again.socket == uri.socket,
            "what is shown of it is where it is", shown);
    require(again.password.empty(), "and holds no password", shown);
  } catch (const std::invalid_argument& error) {
    std::string_view said = error.what();
    said = said.substr(0, said.rfind(" is no address"));
    if (at != std::string_view::npos) {
      return require(said == "'..." + std::string(address.substr(at)) + "'",
                     "what is refused is shown, without its password", said);
    }
    // Without an @ what stands behind a colon may be a password whose host was forgotten.
    const bool cut = said.ends_with(":...'");
    const auto shown = cut ? said.substr(1, said.size() - 5) : said.substr(1, said.size() - 2);
    require(cut ? address.starts_with(shown) : address == shown, "what is refused is shown", said);
  }
}

}  // namespace

void addresses(std::string_view bytes) {
  if (bytes.find('\0') != std::string_view::npos) return;  // no command line holds one, and what() ends there
  check_broker(bytes);
  check_redis(bytes);
}

}  // namespace chat::fuzz

CHAT_FUZZ_TARGET(addresses);
