// The envelope in which the plugin hands a client's request to the bridge:
//
//   {"seal":"…","user":"alice","device":"alice-phone","request":<the client's payload, byte for byte>}
//
// The seal is the plugin's: what does not begin with it never reaches the bridge (Hub::may_read), so its value need not
// be known here.
//
// Why it is believed: it says who asks, and nothing in it proves that. Only the plugin can put it there. Whatever a
// client publishes under {prefix}/rpc/ passes the plugin, which wraps it under the name that the broker authenticated;
// a last will, the one thing that would not pass, is refused on these topics and has no seal; and only the bridge may
// subscribe to them. A broker without the plugin, or with a rule that lets another program publish here, hands its
// users' accounts to that program.
//
// What is not believed is the client's part. `user` and `device` stand in front of it and the first of each counts, so
// bytes that break out of `request` can refuse themselves, but never speak for somebody else.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace chat {

struct Envelope {
  std::string user;  // empty: the envelope names nobody, `error` says why, and nobody can be answered
  std::string device;
  nlohmann::json request;  // an object where `error` is empty
  std::string error;  // a sentence: what is wrong with the client's payload (or with the envelope, where user is empty)
};

// Never throws but for lack of memory. Any thread.
Envelope open_envelope(std::string_view payload);

}  // namespace chat
