#include "tests/chaos/workload/society.h"

#include <algorithm>
#include <cmath>

#include "tests/support/chat_client.h"

namespace chat::test {

Society Society::make(Stack& stack, int users, int rooms, int largest, std::mt19937_64& chance) {
  Society society;
  const auto everybody = stack.new_users(std::max(users, largest));
  society.users.assign(everybody.begin(), everybody.begin() + users);
  const std::vector<std::string> silent(everybody.begin() + users, everybody.end());
  const int direct = rooms / 6;
  for (int i = 0; i < rooms; ++i) {
    auto members = society.users;
    std::shuffle(members.begin(), members.end(), chance);
    if (i < direct) {
      members.resize(2);
      society.rooms.push_back({.conv = direct_conversation(members[0], members[1]),
                               .members = members,
                               .size = 2,
                               .owner = {},
                               .visitor = {}});
      continue;
    }
    // From 2 to the largest, each a factor above the last: most groups are small.
    const auto groups = std::max(1, rooms - direct - 1);
    const auto size = static_cast<std::size_t>(std::lround(2 * std::pow(largest / 2.0, double(i - direct) / groups)));
    const auto active = std::min(size, std::max<std::size_t>(2, members.size() * 3 / 5));
    members.resize(std::min(active, members.size()));
    auto all = members;
    for (std::size_t n = 0; all.size() < size && n < silent.size(); ++n) all.push_back(silent[n]);
    Room room{.conv = stack.new_group(all[0], {all.begin() + 1, all.end()}),
              .members = members,
              .size = all.size(),
              .owner = all[0],
              .visitor = members.size() > 2 ? members.back() : std::string()};
    society.rooms.push_back(std::move(room));
  }
  return society;
}

std::vector<const Room*> Society::rooms_of(const std::string& user) const {
  std::vector<const Room*> found;
  for (const auto& room : rooms) {
    if (std::find(room.members.begin(), room.members.end(), user) != room.members.end()) found.push_back(&room);
  }
  return found;
}

}  // namespace chat::test
