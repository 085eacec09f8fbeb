// Ends the program on SIGTERM or SIGINT.
#pragma once

#include <chrono>
#include <functional>

namespace chat {

// Keeps both signals for await_signal(): call it before any thread is started, since threads inherit it. Also makes a
// closed log pipe an error to ignore instead of a death by SIGPIPE.
void hold_signals();

// Waits for SIGTERM or SIGINT and answers its name.
const char* await_signal();

// Runs `end` on a thread of its own. True: it returned within `patience`. False: it did not (a name server that does
// not answer can hold the MQTT library for long), and the caller should leave at once, with std::_Exit.
bool end_within(std::chrono::milliseconds patience, std::function<void()> end);

}  // namespace chat
