// What is delivered: never changed once it is there, and shared, because one message goes to many. A Bytes is a
// counted reference; copies are cheap, and may live on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace chat {

class Bytes {
 public:
  Bytes() = default;        // nothing, which is not the same as zero bytes
  Bytes(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): reads as what it is, nothing
  explicit Bytes(std::string text) {
    const auto owner = std::make_shared<const std::string>(std::move(text));
    data_ = {owner, owner->data()};
    size_ = static_cast<std::uint32_t>(owner->size());
  }
  // `size` bytes at `data`, which `owner` keeps alive; `in_block`: together with what else lies in it.
  Bytes(const std::shared_ptr<char[]>& owner, const char* data, std::size_t size, bool in_block)
      : data_(owner, data), size_(static_cast<std::uint32_t>(size)), in_block_(in_block) {}

  explicit operator bool() const { return data_ != nullptr; }
  std::string_view operator*() const& { return {data_.get(), size()}; }
  std::string_view operator*() const&& = delete;  // it would show what is gone at the end of the line
  std::size_t size() const { return data_ != nullptr ? size_ : 0; }  // of what was moved away, too
  // Whether its memory is given back only together with its neighbours'.
  bool in_block() const { return in_block_; }

 private:
  std::shared_ptr<const char> data_;
  std::uint32_t size_ = 0;  // MQTT's payloads have less than 2^28 bytes
  bool in_block_ = false;
};

}  // namespace chat
