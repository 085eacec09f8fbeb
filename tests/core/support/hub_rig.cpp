#include "tests/core/support/hub_rig.h"

#include <algorithm>
#include <map>

#include "plugin/persister/batch_maker.h"

namespace chat::test {

using nlohmann::json;

HubRig::HubRig() {
  for (const auto* name : {"alice", "bob", "carol", "dave"}) store.add_user(name);
  committed_ = journal.begin();
  store.wait(std::chrono::milliseconds(0));  // its first word is that anything may have changed
  restart();
}

void HubRig::restart() {
  requests.waiting.clear();
  hub.reset();
  answers.seq_source = {.journal = journal.id(), .losses = journal.losses()};
  hub = std::make_unique<Hub>(options, clock, broker, requests, journal);
  std::map<Position, ParkedRecord> parked;
  for (const auto& [position, record] : journal.records()) {
    if (const auto* one = std::get_if<ParkedRecord>(&record)) parked.emplace(position, *one);
    const auto resolves = std::visit(
        [](const auto& kept) -> Position {
          if constexpr (requires { kept.resolves; }) return kept.resolves;
          return 0;
        },
        record);
    parked.erase(resolves);
  }
  hub->recover({parked.begin(), parked.end()});
  hub->notice(Changed{{Change{Change::Kind::kEverything, {}, {}}}});
}

std::string HubRig::group(const std::string& owner, const std::vector<std::string>& members) {
  return store.create_group("", owner, members, clock.now());
}

Phone HubRig::connect(const std::string& user, const std::string& device) {
  return {.device = device, .user = user, .handle = &handle_memory_.emplace_back(++handles_)};
}

void HubRig::disconnect(const Phone& phone) {
  hub->disconnected(phone.handle, phone.device);
}

bool HubRig::subscribe(const Phone& phone, const std::string& filter, int qos) {
  return hub->may_subscribe(phone.ref(), filter, qos) != Access::kRefused;
}

Phone HubRig::online(const std::string& user, const std::string& device) {
  auto phone = connect(user, device);
  EXPECT_TRUE(subscribe(phone, "chat/u/" + user + "/#"));
  settle();
  return phone;
}

PublishVerdict HubRig::publish(const Phone& phone, const std::string& topic, const std::string& payload, int qos) {
  if (hub->may_write(phone.ref(), topic) == Access::kRefused)
    return {.kind = PublishVerdict::Kind::kRefuse, .payload = nullptr};
  auto verdict = hub->published(phone.ref(), topic, payload, qos);
  if (verdict.kind == PublishVerdict::Kind::kReplace && verdict.payload)
    routed.push_back({{}, topic, std::string(*verdict.payload), qos});
  if (verdict.kind == PublishVerdict::Kind::kUntouched || verdict.kind == PublishVerdict::Kind::kOutside) {
    routed.push_back({{}, topic, payload, qos});
  }
  return verdict;
}

PublishVerdict HubRig::send(const Phone& phone, const std::string& conv, const std::string& text) {
  const json message{{"id", "auto-" + std::to_string(++ids_)}, {"body", text}};
  return publish(phone, "chat/c/" + conv + "/msg", message.dump());
}

PublishVerdict HubRig::ack(const Phone& phone, const std::string& conv, Seq seq, Rev rev) {
  return publish(phone, "chat/c/" + conv + "/delivered", json{{"seq", seq}, {"rev", rev}}.dump());
}

void HubRig::persist(std::size_t records) {
  const auto from = store.checkpoint(journal.id()).value_or(journal.begin());
  BatchMaker maker(journal.id(), from);
  const auto reader = journal.read(from);
  Record record;
  Position position = 0;
  while (maker.records() < records && reader->next(&record, &position) == JournalReader::Result::kRecord) {
    maker.add(record, position);
  }
  maker.reach(reader->position());
  if (maker.batch().to == maker.batch().from) return;
  store.commit(maker.batch());
  committed_ = maker.batch().to;
  hub->notice(maker.committed());
}

std::optional<Notice> HubRig::take_answer() {
  const auto ready = std::find_if(requests.waiting.begin(), requests.waiting.end(),
                                  [this](const Request& request) { return request.barrier <= committed_; });
  if (ready == requests.waiting.end()) return std::nullopt;
  const auto request = std::move(*ready);
  requests.waiting.erase(ready);
  return answer(store, answers, request.body, clock.now());
}

bool HubRig::answer_one() {
  auto notice = take_answer();
  if (!notice) return false;
  hub->notice(std::move(*notice));
  return true;
}

void HubRig::hear_changes() {
  auto changes = store.wait(std::chrono::milliseconds(0));
  if (!changes.empty()) hub->notice(Changed{std::move(changes)});
}

void HubRig::settle() {
  do {
    persist();
    hear_changes();
    hub->tick();
  } while (answer_one() || journal.end() != committed_);
}

void HubRig::tick(TimeMs milliseconds) {
  clock.pass(milliseconds);
  hub->tick();
}

std::vector<Received> HubRig::received(const Phone& phone) const {
  std::vector<Received> all;
  for (const auto& published : broker.published) {
    if (published.device != phone.device) continue;
    const auto inbox = "chat/u/" + phone.user + "/inbox";
    if (published.topic != inbox && published.topic != "chat/u/" + phone.user + "/event") continue;
    const auto parsed = json::parse(published.payload);
    all.push_back({.conv = parsed.at("conv"),
                   .seq = published.topic == inbox ? parsed.value("seq", Seq{0}) : 0,
                   .rev = parsed.value("rev", Rev{0}),
                   .payload = published.payload});
    EXPECT_EQ(published.topic == inbox, all.back().rev == 0) << published.topic << " " << published.payload;
  }
  return all;
}

std::vector<Seq> HubRig::seqs(const Phone& phone, const std::string& conv) const {
  std::vector<Seq> all;
  for (const auto& one : received(phone)) {
    if (one.conv == conv && one.seq > 0) all.push_back(one.seq);
  }
  return all;
}

std::vector<Rev> HubRig::revs(const Phone& phone, const std::string& conv) const {
  std::vector<Rev> all;
  for (const auto& one : received(phone)) {
    if (one.conv == conv && one.rev > 0) all.push_back(one.rev);
  }
  return all;
}

std::vector<json> HubRig::syncs(const Phone& phone) const {
  std::vector<json> all;
  for (const auto& published : broker.published) {
    if (published.device == phone.device && published.topic == "chat/u/" + phone.user + "/sync")
      all.push_back(json::parse(published.payload));
  }
  return all;
}

std::vector<json> HubRig::told(const std::string& user, const std::string& leaf) const {
  std::vector<json> all;
  const auto topic = "chat/u/" + user + "/" + leaf;
  for (const auto& published : broker.published) {
    if (published.device.empty() && published.topic == topic) all.push_back(json::parse(published.payload));
  }
  return all;
}

std::vector<std::string> HubRig::error_codes(const std::string& user) const {
  std::vector<std::string> codes;
  for (const auto& error : told(user, "error")) codes.push_back(error.at("code"));
  return codes;
}

}  // namespace chat::test
