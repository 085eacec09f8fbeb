// A PostgreSQL connection string, as it came from an option, a file or the environment.
#pragma once

#include <string>
#include <string_view>

namespace chat {

// What is wrong with `uri` (a libpq URI or keyword string), as an end of a sentence such as "has no host …", which
// never holds a piece of it: libpq's own words quote what they can't read, and that is often a password with a
// character that had to be written as %XX. Empty: nothing that can be seen without connecting.
std::string postgres_uri_fault(std::string_view uri);

}  // namespace chat
