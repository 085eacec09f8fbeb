#include "tests/support/crowd_checks.h"

#include <algorithm>

#include "tests/support/crowd.h"
#include "tests/support/requesting.h"

namespace chat::test {
namespace {

using nlohmann::json;

constexpr int kHistoryPage = 200;

std::string text_of(const CrowdModel::Count& count) {
  return std::to_string(count.unread) + " (" + std::to_string(count.mentions) + " mentions" +
         (count.muted ? ", muted)" : ")");
}

std::string counts_of(const std::map<std::string, CrowdModel::Count>& counts) {
  std::string text;
  for (const auto& [conv, count] : counts) text += " " + conv + " " + text_of(count);
  return text.empty() ? " nothing" : text;
}

std::map<std::string, CrowdModel::Count> expected_unread(const CrowdModel& model, const std::string& user) {
  std::map<std::string, CrowdModel::Count> expected;
  for (const auto& conv : model.conversations_of(user)) {
    const auto count = model.count(conv, user);
    if (count.unread > 0) expected[conv] = count;
  }
  return expected;
}

void check_unread(Crowd& crowd, const std::string& user, std::vector<std::string>* wrong) {
  const auto answer = request(crowd.device(user, 0), "unread.get");
  const auto total = crowd.model().total(user);
  if (answer.value("total", -1) != total) {
    wrong->push_back(user + " is answered the total " + answer.value("total", json()).dump() + ", not " +
                     std::to_string(total));
  }
  std::map<std::string, CrowdModel::Count> found;
  for (const auto& row : answer.value("conversations", json::array()))
    found[row.at("conv")] = {row.at("unread"), row.at("mentions"), row.at("muted")};
  const auto expected = expected_unread(crowd.model(), user);
  if (found != expected)
    wrong->push_back(user + " is answered as unread" + counts_of(found) + ", not" + counts_of(expected));
}

// What is wrong with one message of a history.
std::string compare(const json& row, const CrowdModel::Said& said) {
  if (said.recalled) return row.value("recalled", false) && !row.contains("body") ? "" : "is not recalled";
  if (said.expires) return row.value("expired", false) && !row.contains("body") ? "" : "has not expired";
  if (row.value("body", "") != said.body) return "does not say " + said.body;
  if (row.value("from", "") != said.sender) return "is not by " + said.sender;
  return row.contains("edited") == said.edited ? "" : "is wrong about being edited";
}

}  // namespace

std::vector<std::string> history_wrong(const CrowdModel& model, ChatClient& device, const std::string& conv) {
  std::vector<std::string> wrong;
  const auto& user = device.user();
  const auto expected = model.visible(conv, user);
  std::map<std::int64_t, json> found;
  std::map<std::int64_t, std::set<std::string>> reactions;
  std::int64_t after = 0;
  for (bool more = true; more;) {
    const auto page = request(device, "history", {{"conv", conv}, {"after", after}, {"limit", kHistoryPage}});
    if (!page.value("ok", false)) return {user + " in " + conv + ": " + page.dump()};
    for (const auto& row : page["messages"]) {
      after = row.at("seq");
      found[after] = row;
    }
    const auto by_seq = page.value("reactions", json::object());
    for (const auto& [seq, emojis] : by_seq.items()) {
      for (const auto& [emoji, users] : emojis.items()) {
        for (const auto& who : users) reactions[std::stoll(seq)].insert(who.get<std::string>() + " " + emoji);
      }
    }
    more = page.at("more");
  }
  const auto place = user + " in " + conv + ": message ";
  for (const auto& [seq, row] : found) {
    if (!expected.contains(seq)) wrong.push_back(place + std::to_string(seq) + " is not theirs to see");
  }
  for (const auto& [seq, said] : expected) {
    if (!found.contains(seq)) {
      wrong.push_back(place + std::to_string(seq) + " is missing");
      continue;
    }
    const auto difference = compare(found[seq], said);
    if (!difference.empty()) wrong.push_back(place + std::to_string(seq) + " " + difference + ": " + found[seq].dump());
    std::set<std::string> liked;
    for (const auto& [who, emojis] : said.reactions) {
      for (const auto& emoji : emojis) liked.insert(who + " " + emoji);
    }
    if (said.recalled) liked.clear();
    if (reactions[seq] != liked)
      wrong.push_back(place + std::to_string(seq) + " has other reactions: " + json(reactions[seq]).dump());
  }
  return wrong;
}

namespace {

void check_receipts(Crowd& crowd, const std::string& user, const std::string& conv, std::vector<std::string>* wrong) {
  const auto seen = crowd.model().visible(conv, user);
  if (seen.empty()) return;
  const auto& [seq, said] = *seen.rbegin();
  const auto answer = request(crowd.device(user, 0), "receipt.list", {{"conv", conv}, {"seq", seq}});
  std::map<std::string, bool> found;
  for (const auto& row : answer.value("receipts", json::array())) found[row.at("user")] = row.at("read");
  std::map<std::string, bool> expected;
  for (const auto& [who, member] : crowd.model().members(conv)) {
    if (who != said.sender && member.join <= seq) expected[who] = member.read >= seq;
  }
  if (found != expected) {
    wrong->push_back(conv + ": who has read message " + std::to_string(seq) + " is answered " + json(found).dump() +
                     ", not " + json(expected).dump());
  }
}

// A sender is told of each rise of a reader's cursor that passes a message of theirs; what it passes of others' is not
// told to them. So the last word may lag behind the cursor, but never behind a message of one's own, unless the device
// was away since: receipts wait for nobody. Who left and came again has nothing to do with what was before.
void check_pushed_receipts(Crowd& crowd, const std::string& user, const std::string& conv, int number,
                           std::vector<std::string>* wrong) {
  const auto told = crowd.told(user, number).receipts();
  const auto since = crowd.told(user, number).there_since(conv);
  const auto messages = crowd.model().messages(conv);
  const auto members = crowd.model().members(conv);
  const auto own_join = members.at(user).join;
  for (const auto& seat : members) {
    const auto& reader = seat.first;
    const auto& member = seat.second;
    if (reader == user) continue;
    const auto last = told.find({conv, reader});
    const auto word = last == told.end() ? 0 : last->second.second;
    if (word > member.read && word >= member.join) {
      wrong->push_back(user + " was told that " + reader + " has read " + conv + " up to " + std::to_string(word) +
                       ", not " + std::to_string(member.read));
    }
    const auto own = std::find_if(messages.begin(), messages.end(), [&](const auto& entry) {
      return entry.second.sender == user && entry.first > std::max(word, since) && entry.first <= member.read &&
             entry.first >= std::max(member.join, own_join);
    });
    if (own != messages.end()) {
      wrong->push_back(user + " was told that " + reader + " has read " + conv + " up to " + std::to_string(word) +
                       ", and not that " + std::to_string(own->first) + " was read");
    }
  }
}

}  // namespace

std::vector<std::string> answered_wrong(Crowd& crowd) {
  std::vector<std::string> wrong;
  for (const auto& user : crowd.users()) {
    check_unread(crowd, user, &wrong);
    for (const auto& conv : crowd.model().conversations_of(user)) {
      for (auto& each : history_wrong(crowd.model(), crowd.device(user, 1), conv)) wrong.push_back(std::move(each));
      check_receipts(crowd, user, conv, &wrong);
    }
  }
  return wrong;
}

std::vector<std::string> pushed_wrong(Crowd& crowd) {
  std::vector<std::string> wrong;
  for (const auto& user : crowd.users()) {
    const auto expected = expected_unread(crowd.model(), user);
    const auto total = std::to_string(crowd.model().total(user));
    for (int number = 0; number < 2; ++number) {
      const auto& told = crowd.told(user, number);
      const auto device = user + "'s device " + std::to_string(number);
      if (told.total() != total) wrong.push_back(device + " was told the total " + told.total() + ", not " + total);
      if (told.unread() != expected) {
        wrong.push_back(device + " was told as unread" + counts_of(told.unread()) + ", not" + counts_of(expected));
      }
      for (const auto& conv : crowd.model().conversations_of(user))
        check_pushed_receipts(crowd, user, conv, number, &wrong);
    }
  }
  return wrong;
}

}  // namespace chat::test
