// An array in PostgreSQL's text form, built element by element: how one statement takes a whole batch.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

class ArrayText {
 public:
  void add(std::int64_t value);
  void add(std::string_view value);  // any bytes that PostgreSQL takes as text
  bool empty() const { return text_.size() == 1; }
  // The finished array, as the statement's parameter.
  std::string text() const { return text_ + "}"; }

 private:
  void separate();
  std::string text_ = "{";
};

ArrayText array_of(std::span<const std::string> values);

}  // namespace chat
