// The refusal codes of topics.md that the bridge itself gives; a handler may give any of that page's.
#pragma once

namespace chat::code {

inline constexpr char kBadJson[] = "bad_json";
inline constexpr char kBadField[] = "bad_field";
inline constexpr char kTooLarge[] = "too_large";
inline constexpr char kNotMember[] = "not_member";
inline constexpr char kNotFound[] = "not_found";
inline constexpr char kNotAllowed[] = "not_allowed";
inline constexpr char kTooLate[] = "too_late";
inline constexpr char kUnknownOperation[] = "unknown_operation";
inline constexpr char kUnavailable[] = "unavailable";

}  // namespace chat::code
