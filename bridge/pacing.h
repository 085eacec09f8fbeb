// How the bridge's workers keep time: what they wait for, and how far ahead of the broker's answers they work.
#pragma once

#include <chrono>
#include <cstddef>

namespace chat {

inline constexpr std::chrono::milliseconds kPoll{1000};       // the net under NOTIFY
inline constexpr std::chrono::milliseconds kAnswersSoon{20};  // while publishes are under way: their rows are to go
inline constexpr std::chrono::milliseconds kTellAgain{500};   // behind a publish that did not get through
inline constexpr std::size_t kUnderWayLow = 1000;  // publishes without an answer, beyond which no more are handed over

}  // namespace chat
