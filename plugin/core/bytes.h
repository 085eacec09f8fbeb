// What is delivered: never changed once it is there, and shared, because one message goes to many. A Bytes is a
// counted reference, and copies are cheap. All that share memory are on one thread at a time: the count knows no other,
// since to count atomically costs as much as to look a conversation up. They may go to another thread together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace chat {

// Memory that lives as long as somebody refers to it. Own code, as std::shared_ptr counts atomically wherever the
// process has threads.
class SharedMemory {
 public:
  SharedMemory() = default;  // none
  explicit SharedMemory(std::size_t bytes) : head_(new (::operator new(sizeof(Head) + bytes)) Head{1}) {}
  SharedMemory(const SharedMemory& other) : head_(other.head_) {
    if (head_ != nullptr) ++head_->references;
  }
  SharedMemory(SharedMemory&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  SharedMemory& operator=(SharedMemory other) noexcept {
    std::swap(head_, other.head_);
    return *this;
  }
  ~SharedMemory() {
    if (head_ != nullptr && --head_->references == 0) ::operator delete(head_);
  }

  explicit operator bool() const { return head_ != nullptr; }
  char* get() const { return reinterpret_cast<char*>(head_ + 1); }

 private:
  struct Head {
    std::size_t references;
  };
  Head* head_ = nullptr;
};

class Bytes {
 public:
  Bytes() = default;        // nothing, which is not the same as zero bytes
  Bytes(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): reads as what it is, nothing
  explicit Bytes(std::string_view text)
      : owner_(text.size()), data_(owner_.get()), size_(static_cast<std::uint32_t>(text.size())) {
    std::copy(text.begin(), text.end(), owner_.get());
  }
  // `size` bytes at `data`, which lie in `owner`; `in_block`: together with what else lies there.
  Bytes(SharedMemory owner, const char* data, std::size_t size, bool in_block)
      : owner_(std::move(owner)), data_(data), size_(static_cast<std::uint32_t>(size)), in_block_(in_block) {}

  explicit operator bool() const { return static_cast<bool>(owner_); }
  std::string_view operator*() const& { return owner_ ? std::string_view(data_, size_) : std::string_view(); }
  std::string_view operator*() const&& = delete;           // it would show what is gone at the end of the line
  std::size_t size() const { return owner_ ? size_ : 0; }  // of what was moved away, too
  // Whether its memory is given back only together with its neighbours'.
  bool in_block() const { return in_block_; }

 private:
  SharedMemory owner_;
  const char* data_ = nullptr;
  std::uint32_t size_ = 0;  // MQTT's payloads have less than 2^28 bytes
  bool in_block_ = false;
};

}  // namespace chat
