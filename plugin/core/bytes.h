// What is delivered: never changed once it is there, and shared, because one message goes to many. A Bytes is a
// counted reference, and copies are cheap. All that share memory are on one thread at a time, and may go to another one
// together: they are counted without atomic instructions, each of which costs as much as to look a conversation up.
#pragma once

#include <algorithm>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace chat {

// Memory that lives as long as somebody refers to it.
class SharedMemory {
 public:
  using Ref = boost::intrusive_ptr<SharedMemory>;

  static Ref make(std::size_t bytes) { return Ref(new (::operator new(sizeof(SharedMemory) + bytes)) SharedMemory); }
  char* bytes() { return reinterpret_cast<char*>(this + 1); }

  friend void intrusive_ptr_add_ref(SharedMemory* memory) { ++memory->references_; }
  friend void intrusive_ptr_release(SharedMemory* memory) {
    if (--memory->references_ == 0) ::operator delete(memory);
  }

 private:
  SharedMemory() = default;
  std::size_t references_ = 0;
};

class Bytes {
 public:
  Bytes() = default;        // nothing, which is not the same as zero bytes
  Bytes(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): reads as what it is, nothing
  explicit Bytes(std::string_view text)
      : owner_(SharedMemory::make(text.size())),
        data_(owner_->bytes()),
        size_(static_cast<std::uint32_t>(text.size())) {
    std::copy(text.begin(), text.end(), owner_->bytes());
  }
  // `size` bytes at `data`, which lie in `owner`; `in_block`: together with what else lies there.
  Bytes(SharedMemory::Ref owner, const char* data, std::size_t size, bool in_block)
      : owner_(std::move(owner)), data_(data), size_(static_cast<std::uint32_t>(size)), in_block_(in_block) {}

  explicit operator bool() const { return owner_ != nullptr; }
  std::string_view operator*() const& { return owner_ ? std::string_view(data_, size_) : std::string_view(); }
  std::string_view operator*() const&& = delete;           // it would show what is gone at the end of the line
  std::size_t size() const { return owner_ ? size_ : 0; }  // of what was moved away, too
  // Whether its memory is given back only together with its neighbours'.
  bool in_block() const { return in_block_; }

 private:
  SharedMemory::Ref owner_;
  const char* data_ = nullptr;
  std::uint32_t size_ = 0;  // MQTT's payloads have less than 2^28 bytes
  bool in_block_ = false;
};

}  // namespace chat
