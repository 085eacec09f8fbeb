// Why a publish is refused: the codes and sentences that a sender reads on its error topic (topics.md, "Refusals").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace chat {

enum class Code : std::uint8_t {
  kBadJson,
  kBadField,
  kReservedField,
  kTooLarge,
  kNotMember,
  kNotFound,
  kNotAllowed,
  kTooLate,
  kBlocked,
  kIdConflict,
  kRateLimited,
  kStorageFull,
  kUnavailable,
  kUnknownOperation,
};

// The code as clients see it, e.g. "bad_json".
std::string_view code_name(Code code);

struct Refusal {
  Code code = Code::kBadJson;
  std::string reason;  // one sentence, with the offending value
  std::string id;      // the publish's own id where it could be read
};

// Cold: what leads here is kept out of the way of what is accepted.
[[gnu::cold]] Refusal refusal_of(Code code, std::string reason, std::string_view id = {});

// {"code":…,"reason":…,"topic":…,"id":…}; `id` is null where the publish had none.
std::string refusal_json(const Refusal& refusal, std::string_view topic);

// `text` in double quotes, cut to a length that fits a sentence, with everything that could confuse a reader replaced.
[[gnu::cold]] std::string in_quotes(std::string_view text);

}  // namespace chat
