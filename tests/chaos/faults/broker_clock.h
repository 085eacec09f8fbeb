// A wall clock for the broker alone, by libfaketime: the machine's own stays right.
#pragma once

#include <string>

namespace chat::test {

// Where Debian's package puts the library; empty: it is not installed.
std::string faketime_library();

// What goes in front of the broker's command line, so that its clock is what `file` says.
std::string clock_wrapper(const std::string& file);

// "+0", "-3600", "+86400": seconds from the machine's clock.
void set_broker_clock(const std::string& file, const std::string& offset);

}  // namespace chat::test
