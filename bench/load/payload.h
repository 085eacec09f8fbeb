// The messages of a run: what a sender publishes, and what a receiver reads out of the bytes that arrive, stamped or
// not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chat::load {

// {"id":"TAG-SENDER-NUMBER","body":"xxx…"}, the ids in one width.
class MessageMaker {
 public:
  // Bodies have from `body_bytes` to `body_most` bytes, each length as often; at least `body_bytes`.
  MessageMaker(std::string_view tag, int sender, std::size_t body_bytes, std::size_t body_most);
  // The view lives until the next call. Numbers are below 10^9.
  std::string_view next(std::uint32_t number);

 private:
  std::string bytes_;
  std::size_t digits_ = 0;
  std::size_t body_ = 0;
  std::size_t least_ = 0;
  std::size_t lengths_ = 1;
};

// Which message it is. False: one of another run.
bool read_id(std::string_view payload, std::string_view tag, int* sender, std::uint32_t* number);

// What the server put in front. False: nothing.
bool read_place(std::string_view payload, std::string_view* conv, std::int64_t* seq);

}  // namespace chat::load
