// The refusal codes of topics.md that the bridge itself gives; a handler may give any of that page's.
#pragma once

namespace chat::code {

inline constexpr char kBadJson[] = "bad_json";
inline constexpr char kBadField[] = "bad_field";
inline constexpr char kUnknownOperation[] = "unknown_operation";
inline constexpr char kUnavailable[] = "unavailable";

}  // namespace chat::code
