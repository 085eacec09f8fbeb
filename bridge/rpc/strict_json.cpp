#include "bridge/rpc/strict_json.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "bridge/rpc/quote.h"

namespace chat {
namespace {

using nlohmann::json;

// Builds the value event by event; answering false ends the parse there.
class Builder : public nlohmann::json_sax<json> {
 public:
  explicit Builder(StrictJson* result) : result_(*result) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(std::int64_t value) override { return put(value); }
  bool number_unsigned(std::uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string& /*text*/) override { return put(value); }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(json::binary_t& /*value*/) override { return fail("holds binary data"); }  // not in JSON texts

  bool start_object(std::size_t /*elements*/) override { return open(json::object()); }
  bool start_array(std::size_t /*elements*/) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    if (open_.back()->contains(name)) return fail("holds the name " + in_quotes(name) + " twice");
    name_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& last_token, const json::exception& /*error*/) override {
    return fail("is not JSON near " + in_quotes(last_token));
  }

 private:
  // Pointers to the open objects and arrays stay valid: a container is not touched while one inside it is open.
  json* place(json&& value) {
    if (open_.empty()) {
      result_.value = std::move(value);
      return &result_.value;
    }
    json& inside = *open_.back();
    if (inside.is_array()) return &inside.emplace_back(std::move(value));
    return &inside.emplace(std::move(name_), std::move(value)).first.value();
  }

  bool put(json&& value) {
    place(std::move(value));
    return true;
  }

  bool open(json&& empty) {
    if (open_.size() >= kJsonDepthMax)
      return fail("is nested deeper than " + std::to_string(kJsonDepthMax) + " levels");
    open_.push_back(place(std::move(empty)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  bool fail(std::string error) {
    result_.error = std::move(error);
    return false;
  }

  StrictJson& result_;
  std::vector<json*> open_;
  std::string name_;
};

}  // namespace

StrictJson parse_strict(std::string_view text) {
  StrictJson result;
  Builder builder(&result);
  if (!json::sax_parse(text, &builder) && result.error.empty()) result.error = "is not JSON";
  return result;
}

}  // namespace chat
