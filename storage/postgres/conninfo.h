// The connection string: the caller's, with this program's defaults under it.
#pragma once

#include <string>
#include <string_view>

namespace chat {

// A silent network is noticed within about 25 s, a server that does not complete the connection within 5 s. What `uri`
// (a libpq URI or conninfo string) says itself goes before these. A frozen server whose machine still answers is not
// noticed by any of them: see Store::interrupt().
std::string with_defaults(std::string_view uri, std::string_view application_name);

}  // namespace chat
