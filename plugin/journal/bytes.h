// Little-endian numbers and length-prefixed strings in a buffer: the two halves that every part of the format is made
// of.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace chat {

static_assert(std::endian::native == std::endian::little, "the journal copies numbers as they lie in memory");

template <std::integral T>
void put(std::string* out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out->append(bytes, sizeof bytes);
}

// How many bytes fields will take.
class FieldSizes {
 public:
  template <std::integral T>
  void put(T value) {
    bytes_ += sizeof value;
  }
  void put_text(std::string_view text) { bytes_ += sizeof(std::uint32_t) + text.size(); }
  void put_bytes(const void*, std::size_t size) { bytes_ += size; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

// Writes them where there is room.
class FieldPen {
 public:
  explicit FieldPen(char* at) : at_(at) {}

  template <std::integral T>
  void put(T value) {
    put_bytes(&value, sizeof value);
  }
  void put_text(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    put_bytes(text.data(), text.size());
  }
  void put_bytes(const void* bytes, std::size_t size) {
    if (size > 0) std::memcpy(at_, bytes, size);
    at_ += size;
  }

 private:
  char* at_;
};

template <std::integral T>
T get(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Takes fields off the front. Once something was not there, ok() is false and every later field reads as zero or empty.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  template <std::integral T>
  void take(T* value) {
    if (!has(sizeof *value)) {
      *value = 0;
      return;
    }
    *value = get<T>(rest_.data());
    rest_.remove_prefix(sizeof *value);
  }

  void take_text(std::string* text) {
    std::uint32_t size = 0;
    take(&size);
    if (!has(size)) {
      text->clear();
      return;
    }
    text->assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }

  void take_bytes(void* to, std::size_t size) {
    if (!has(size)) {
      std::memset(to, 0, size);
      return;
    }
    std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
  }

  std::size_t left() const { return rest_.size(); }
  void fail() { ok_ = false; }
  bool ok() const { return ok_; }

 private:
  bool has(std::size_t size) {
    ok_ = ok_ && rest_.size() >= size;
    return ok_;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace chat
