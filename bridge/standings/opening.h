// Makes the parts of this folder out of the bridge's options.
#pragma once

#include <memory>
#include <string_view>

#include "bridge/options.h"
#include "bridge/standings/list_standings.h"

namespace chat {

// Both: `log` outlives it. Whether Redis is there is told by the mirror of presence, which asks it all the time.
std::unique_ptr<StandingCache> open_standing_cache(const Options& options, StandingLog& log,
                                                   std::string_view application_name);
// Null: there is no Redis, and it would only cost a connection.
std::unique_ptr<ListStandings> open_list_standings(const Options& options, StandingLog& log);

}  // namespace chat
