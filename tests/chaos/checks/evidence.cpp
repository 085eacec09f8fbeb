#include "tests/chaos/checks/evidence.h"

#include <algorithm>
#include <utility>

namespace chat::test {
namespace {

// Before and behind a fault, so that what it did to packets on their way counts too.
constexpr std::int64_t kMarginUs = 3'000'000;
// The bridge's default, less what the clocks' readings may be apart.
constexpr std::int64_t kRecallWindowUs = 120'000'000 - kMarginUs;

}  // namespace

std::string user_of(const std::string& device) {
  return device.substr(0, device.rfind('-'));
}

bool Evidence::settled(const std::string& device, const std::string& conv) const {
  const auto user = user_of(device);
  return std::any_of(society.rooms.begin(), society.rooms.end(), [&](const Room& room) {
    return room.conv == conv && room.settled(user) &&
           std::find(room.members.begin(), room.members.end(), user) != room.members.end();
  });
}

bool Evidence::may_be_too_late(const Doing& doing) const {
  if (doing.what != "recall") return false;
  const auto room =
      std::find_if(society.rooms.begin(), society.rooms.end(), [&](const Room& one) { return one.conv == doing.conv; });
  if (room != society.rooms.end() && room->owner == doing.user) return false;
  const auto* about = subject_of(doing);
  return about != nullptr && doing.to_us - about->from_us > kRecallWindowUs;
}

bool Evidence::may_have_missed_the_answer(const Doing& doing) const {
  const auto last = last_began.find(doing.device);
  const bool may_be_refused = !settled(doing.device, doing.conv) || may_be_too_late(doing);
  return may_be_refused && last != last_began.end() && last->second > doing.from_us;
}

const Doing* Evidence::subject_of(const Doing& doing) const {
  const auto rows = stored.find(doing.conv);
  if (rows == stored.end() || doing.seq < 1 || doing.seq > static_cast<std::int64_t>(rows->second.size()))
    return nullptr;
  const auto about = doings.find(rows->second[static_cast<std::size_t>(doing.seq - 1)].id);
  return about == doings.end() ? nullptr : &about->second;
}

bool Evidence::within(const Times& times, std::int64_t from_us, std::int64_t to_us) {
  return std::any_of(times.begin(), times.end(),
                     [&](const auto& time) { return from_us < time.second && to_us > time.first; });
}

bool Evidence::certain(const Doing& doing) const {
  if (!doing.accepted || doing.refused || may_have_missed_the_answer(doing) ||
      within(clock_is_wrong, doing.from_us, doing.to_us))
    return false;
  const auto* about = subject_of(doing);
  return about == nullptr || !within(clock_is_wrong, about->from_us, about->to_us);
}

Evidence gather(Society society, std::vector<Operation> log, const FaultKinds& kinds) {
  Evidence evidence;
  evidence.society = std::move(society);
  std::map<std::string, std::int64_t> begun;
  for (const auto& line : log) {
    if (line.did == Did::kFault && line.text == "begins") begun[line.id] = line.at_us;
    if (line.did == Did::kFault && line.text == "over") {
      const std::pair time{begun[line.id] - kMarginUs, line.at_us + kMarginUs};
      if (kinds.stop.contains(line.id)) evidence.broker_away.push_back(time);
      if (kinds.refuse.contains(line.id)) evidence.broker_refuses.push_back(time);
      if (kinds.clock.contains(line.id)) evidence.clock_is_wrong.push_back(time);
    }
    if (line.did == Did::kSession) evidence.last_began[line.device] = line.at_us;
    if (line.did == Did::kSession && line.text == "clean") evidence.clean.insert(line.device);
  }
  // The first word on a publish comes behind its beginning.
  std::map<std::string, std::int64_t> started;
  for (const auto& line : log) {
    if (line.did == Did::kPublish) {
      auto& doing = evidence.doings[line.id];
      if (doing.device.empty()) {
        evidence.order.push_back(line.id);
        doing.device = line.device;
        doing.user = user_of(line.device);
        doing.what = line.text;
        doing.conv = line.conv;
        doing.seq = line.seq;
        doing.qos = static_cast<int>(line.code);
        doing.from_us = line.at_us;
      }
      started[line.id] = line.at_us;
    }
    if (line.did == Did::kAccepted) {
      auto& doing = evidence.doings[line.id];
      doing.to_us = line.at_us;
      if (line.code >= 0x80) {
        doing.refused = true;
      } else if (doing.qos > 0 && !Evidence::within(evidence.broker_refuses, started[line.id], line.at_us)) {
        doing.accepted = true;
      }
    }
    if (line.did == Did::kRefused) evidence.doings[line.id].refused = true;
  }
  evidence.log = std::move(log);
  return evidence;
}

void read_database(Database& database, Evidence* evidence) {
  for (const auto& room : evidence->society.rooms) {
    evidence->stored[room.conv] = stored_messages(database, room.conv);
    const auto id = "(SELECT id FROM conversations WHERE name = " + database.quote(room.conv) + ")";
    for (const auto& row : database.query("SELECT rev, payload::json->>'kind', coalesce(payload::json->>'seq', '0'), "
                                          "coalesce(payload::json->>'user', payload::json->>'by', ''), "
                                          "coalesce(payload::json->>'emoji', ''), "
                                          "coalesce(payload::json->>'on', 'false') FROM events WHERE conv_id = " +
                                          id + " ORDER BY rev")) {
      evidence->events[room.conv].push_back({.rev = std::stoll(row[0]),
                                             .kind = row[1],
                                             .seq = std::stoll(row[2]),
                                             .by = row[3],
                                             .emoji = row[4],
                                             .on = row[5] == "true"});
    }
    for (const auto& row : database.query("SELECT device, delivered_seq FROM device_cursors WHERE conv_id = " + id))
      evidence->cursors[{row[0], room.conv}] = std::stoll(row[1]);
    const auto ends =
        database.query("SELECT last_seq, last_rev FROM conversations WHERE name = " + database.quote(room.conv));
    if (!ends.empty()) evidence->ends[room.conv] = {std::stoll(ends[0][0]), std::stoll(ends[0][1])};
  }
}

}  // namespace chat::test
