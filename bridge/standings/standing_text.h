// How a user's standings are written in Redis: a line with the mark, the time and how many there are, then one for
// each conversation.
//
//   chat-standings-1 7234…8 17 1750000000000 1
//   4711 g:0198… 3 1 0 0 1749999990000
//
// which is its key, name, unread, mentions, whether it is muted, when that changes by itself (0: never) and its latest
// activity. For this program alone: the form may change with each release.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/standings/standing_log.h"
#include "storage/unread.h"

namespace chat {

struct KeptStandings {
  StandingLog::Mark mark;
  TimeMs at = 0;  // the wall clock's when it was read
  std::vector<UnreadStanding> standings;
};

std::string standing_text(const KeptStandings& kept);
// nullopt: it is not one of these texts, or not all of one.
std::optional<KeptStandings> read_standings(std::string_view text, const std::string& user);

}  // namespace chat
