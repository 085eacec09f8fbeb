#include "tests/chaos/checks/standings.h"

#include <algorithm>

#include "tests/support/crowd_checks.h"
#include "tests/support/requesting.h"

namespace chat::test {
namespace {

using nlohmann::json;

constexpr std::size_t kAskersOfARoom = 3;  // whose history is read whole

// The last fault may have taken the bridge's connection: until it is back, requests are refused (unavailable), and who
// asked is to ask again.
void wait_for_the_bridge(Stack& stack, const std::string& user) {
  ChatClient device(stack.port(), user, {.device = user + "-pings"});
  device.connect();
  const auto answered = [&](const Message& message) { return message.topic == device.own("reply/" + device.device()); };
  eventually("the bridge", [&] {
    if (!device.mqtt().received(answered).empty()) return true;
    device.mqtt().publish("chat/rpc/ping", json{{"id", device.new_id()}});
    return false;
  });
}

void check_unread(const CrowdModel& model, const Evidence& evidence, const std::set<std::string>& unsure,
                  ChatClient& device, std::vector<std::string>* wrong) {
  const auto answer = request(device, "unread.get");
  std::map<std::string, std::int64_t> found;
  for (const auto& row : answer.value("conversations", json::array())) found[row.at("conv")] = row.at("unread");
  for (const auto* room : evidence.society.rooms_of(device.user())) {
    if (!room->settled(device.user()) || unsure.contains(room->conv)) continue;
    const auto expected = model.count(room->conv, device.user()).unread;
    if (found[room->conv] != expected) {
      wrong->push_back(device.user() + " is answered " + std::to_string(found[room->conv]) + " unread in " +
                       room->conv + ", not " + std::to_string(expected));
    }
  }
}

}  // namespace

std::set<std::string> tell(const Evidence& evidence, CrowdModel* model) {
  std::set<std::string> unsure;
  for (const auto& room : evidence.society.rooms) {
    for (const auto& user : room.members) model->join(room.conv, user, user == room.owner);
    const auto rows = evidence.stored.find(room.conv);
    if (rows == evidence.stored.end()) continue;
    for (const auto& row : rows->second) {
      const auto doing = evidence.doings.find(row.id);
      CrowdModel::Said said{.sender = row.sender, .device = {}, .id = row.id, .body = "says " + row.id};
      if (doing == evidence.doings.end()) said.body = "the last";
      model->said(room.conv, row.seq, std::move(said));
    }
  }
  for (const auto& id : evidence.order) {
    const auto& doing = evidence.doings.at(id);
    if (doing.what == "message" || doing.seq == 0) continue;
    if (!evidence.certain(doing)) {
      unsure.insert(doing.conv);
      continue;
    }
    if (doing.what == "recall") model->recall(doing.conv, doing.seq);
    if (doing.what == "read") model->read(doing.conv, doing.user, doing.seq);
    if (doing.what.starts_with("edit ")) model->edit(doing.conv, doing.seq, doing.what.substr(5));
    if (doing.what.starts_with("react ")) {
      const auto space = doing.what.rfind(' ');
      model->react(doing.conv, doing.seq, doing.user, doing.what.substr(6, space - 6),
                   doing.what.substr(space + 1) == "on");
    }
  }
  return unsure;
}

std::vector<std::string> standings_wrong(const Evidence& evidence, Stack& stack,
                                         const std::vector<std::unique_ptr<ChaosClient>>& clients) {
  std::vector<std::string> wrong;
  CrowdModel model;
  const auto unsure = tell(evidence, &model);
  std::map<std::string, std::size_t> asked;
  wait_for_the_bridge(stack, evidence.society.users.front());
  for (const auto& user : evidence.society.users) {
    ChatClient device(stack.port(), user, {.device = user + "-asks", .acknowledge_every = 50});
    device.connect();
    check_unread(model, evidence, unsure, device, &wrong);
    bool all_known = true;
    for (const auto* room : evidence.society.rooms_of(user)) {
      const bool known = room->settled(user) && !unsure.contains(room->conv);
      all_known = all_known && known;
      if (!known || asked[room->conv]++ >= kAskersOfARoom) continue;
      for (auto& each : history_wrong(model, device, room->conv)) wrong.push_back(std::move(each));
    }
    if (!all_known) continue;
    const auto total = std::to_string(model.total(user));
    for (const auto& client : clients) {
      if (client->kind().user != user) continue;
      try {
        eventually("the pushed total", [&] { return client->total() == total; });
      } catch (const TimedOut&) {
        wrong.push_back(client->kind().device() + " was told the total " + client->total() + ", not " + total);
      }
    }
  }
  return wrong;
}

}  // namespace chat::test
