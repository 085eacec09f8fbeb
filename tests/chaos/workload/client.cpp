#include "tests/chaos/workload/client.h"

#include <algorithm>
#include <utility>

#include "tests/support/chat_client.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kAnswer{5};    // then an app tries again
constexpr std::chrono::minutes kPersists{5};  // far beyond any fault: who waits longer will not be answered
constexpr int kAcknowledgeEvery = 15;
constexpr std::size_t kRecent = 20;        // own messages that may be recalled or edited
constexpr std::size_t kLatest = 200;       // messages that may come back refused
const char* const kEmojis[] = {"👍", "🎉"};  // of a user's first device, and of the second: who reacts last is known

LinkOptions link_options(const ClientKind& kind,
                         std::function<void(const std::string&, const std::string&)> on_message) {
  return {.port = kind.port,
          .websocket = kind.websocket,
          .user = kind.user,
          .device = kind.device(),
          .mqtt5 = kind.mqtt5,
          .clean = kind.clean,
          .on_message = std::move(on_message)};
}

}  // namespace

ChaosClient::ChaosClient(ClientKind kind, const Society& society, OperationsFile& log, Witness& witness,
                         std::chrono::milliseconds pace)
    : kind_(std::move(kind)),
      rooms_(society.rooms_of(kind_.user)),
      log_(log),
      witness_(witness),
      pace_(pace),
      own_("chat/u/" + kind_.user + "/"),
      chance_(generator("client " + kind_.device())),
      link_(link_options(kind_, [this](const auto& topic, const auto& payload) { arrived(topic, payload); })) {}

ChaosClient::~ChaosClient() {
  finish();
}

void ChaosClient::start() {
  thread_ = std::thread([this] { run(); });
}

void ChaosClient::finish() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ChaosClient::run() {
  const auto ending = [this] {
    const std::lock_guard lock(mutex_);
    return ending_;
  };
  while (!ending()) {
    if (!link_.connected() && !come_back()) {
      nap(std::chrono::milliseconds(300));
      continue;
    }
    send_refused_again();
    acknowledge();
    step();
    nap(pace_ / 2 + std::chrono::milliseconds(pick(0, static_cast<int>(pace_.count()))));
  }
  send_refused_again();
  // Who sends has read; so that reading itself counts, some rooms are read to their end without a word.
  for (const auto* room : rooms_) {
    if (pick(0, 1) == 0) read(*room, true);
  }
}

void ChaosClient::nap(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, at_most, [this] { return ending_; });
}

bool ChaosClient::come_back() {
  log_.add({.did = Did::kSession, .device = kind_.device(), .text = kind_.clean ? "clean" : "resumed"});
  bool resumed = false;
  if (!link_.connect(&resumed)) return false;
  // A session that was kept is subscribed already: half of the time it says so in the other way.
  const bool opened = resumed && pick(0, 1) == 0 ? link_.publish("chat/sync", "{}", 1, kAnswer).has_value()
                                                 : link_.subscribe(own_ + "#");
  if (opened) log_.add({.did = Did::kOpened, .device = kind_.device()});
  return opened;
}

void ChaosClient::listen() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  link_.disconnect();
  while (!come_back()) {
    if (std::chrono::steady_clock::now() > deadline) throw TimedOut(kind_.device() + " can't come back");
  }
  {
    const std::lock_guard lock(mutex_);
    ending_ = false;
  }
  // From now on it does nothing but acknowledge.
  thread_ = std::thread([this] {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        if (woken_.wait_for(lock, std::chrono::milliseconds(100), [this] { return ending_; })) return;
      }
      acknowledge();
    }
  });
}

std::string ChaosClient::new_id() {
  return kind_.device() + "." + std::to_string(++ids_);
}

void ChaosClient::step() {
  if (rooms_.empty()) return;
  const auto& room = *rooms_[static_cast<std::size_t>(pick(0, static_cast<int>(rooms_.size()) - 1))];
  const int what = pick(0, 99);
  if (what < 55) return send(room);
  if (what < 70) return read(room);
  if (what < 76) return recall_or_edit(true);
  if (what < 83) return recall_or_edit(false);
  if (what < 93) return react(room);
  if (what < 95) return change_visitor(room);
  come_and_go();
}

void ChaosClient::send(const Room& room) {
  Publish publish;
  publish.id = new_id();
  publish.conv = room.conv;
  publish.topic = message_topic(room.conv);
  if (room.direct()) publish.topic = direct_topic(room.members[room.members[0] == kind_.user ? 1 : 0]);
  publish.payload = text(publish.id, "says " + publish.id).dump();
  publish.what = "message";
  publish.qos = std::array{0, 1, 1, 1, 2}[static_cast<std::size_t>(pick(0, 4))];
  publish.give_up = !room.settled(kind_.user);
  {
    const std::lock_guard lock(mutex_);
    if (latest_.size() >= kLatest) latest_.clear();
    latest_[publish.id] = publish;
  }
  if (!perform(publish)) return;
  if (pick(0, 9) == 0) perform(publish);  // as after an acknowledgement that got lost
}

void ChaosClient::recall_or_edit(bool recall) {
  Own own;
  {
    const std::lock_guard lock(mutex_);
    std::vector<Own*> fit;
    for (auto& one : mine_) {
      if (!one.recalled) fit.push_back(&one);
    }
    if (fit.empty()) return;
    auto& chosen = *fit[static_cast<std::size_t>(pick(0, static_cast<int>(fit.size()) - 1))];
    chosen.recalled = recall;
    own = chosen;
  }
  const auto id = new_id();
  auto payload = json{{"id", id}, {"seq", own.seq}};
  if (!recall) payload["body"] = "edited by " + id;
  perform({.what = recall ? "recall" : "edit edited by " + id,
           .conv = own.conv,
           .seq = own.seq,
           .id = id,
           .topic = "chat/c/" + own.conv + (recall ? "/recall" : "/edit"),
           .payload = payload.dump(),
           .give_up = visits(own.conv)});
}

bool ChaosClient::visits(const std::string& conv) const {
  return std::any_of(rooms_.begin(), rooms_.end(),
                     [&](const Room* room) { return room->conv == conv && !room->settled(kind_.user); });
}

void ChaosClient::react(const Room& room) {
  if (!room.settled(kind_.user)) return;
  const auto last = highest(room.conv);
  if (last == 0) return;
  const auto seq = std::max<std::int64_t>(1, last - pick(0, 20));
  const auto id = new_id();
  const bool on = pick(0, 2) > 0;
  const std::string emoji = kEmojis[kind_.number % 2];
  perform({.what = "react " + emoji + (on ? " on" : " off"),
           .conv = room.conv,
           .seq = seq,
           .id = id,
           .topic = "chat/c/" + room.conv + "/react",
           .payload = json{{"id", id}, {"seq", seq}, {"emoji", emoji}, {"on", on}}.dump()});
}

void ChaosClient::read(const Room& room, bool all) {
  const auto last = highest(room.conv);
  if (last == 0 || !room.settled(kind_.user)) return;
  const auto seq = std::max<std::int64_t>(1, last - (all || pick(0, 2) == 0 ? 0 : pick(0, 10)));
  const auto id = new_id();  // for the log: a reading has none
  perform({.what = "read",
           .conv = room.conv,
           .seq = seq,
           .id = id,
           .topic = "chat/c/" + room.conv + "/read",
           .payload = json{{"seq", seq}}.dump()});
}

// The owner puts the visitor out or in again; now and then the visitor goes by itself. Whether it was so already is an
// answer like any other.
void ChaosClient::change_visitor(const Room& room) {
  if (room.visitor.empty()) return;
  const auto id = new_id();
  const bool add = pick(0, 1) == 0;
  std::string operation;
  auto payload = json{{"id", id}, {"conv", room.conv}};
  if (kind_.user == room.owner) {
    operation = add ? "member.add" : "member.remove";
    payload["users"] = {room.visitor};
  } else if (kind_.user == room.visitor) {
    operation = "conversation.leave";
  } else {
    return;
  }
  perform({.what = operation,
           .conv = room.conv,
           .id = id,
           .topic = "chat/rpc/" + operation,
           .payload = payload.dump(),
           .give_up = true});
}

void ChaosClient::come_and_go() {
  if (pick(0, 1) == 0) {
    link_.drop();
  } else {
    link_.disconnect();
  }
  nap(std::chrono::milliseconds(pick(0, 1500)));
}

bool ChaosClient::perform(const Publish& publish) {
  log_.add({.did = Did::kPublish,
            .device = kind_.device(),
            .conv = publish.conv,
            .seq = publish.seq,
            .id = publish.id,
            .code = publish.qos,
            .text = publish.what});
  const auto deadline = std::chrono::steady_clock::now() + kPersists;
  while (std::chrono::steady_clock::now() < deadline) {
    if (!link_.connected() && !come_back()) {
      std::unique_lock lock(mutex_);
      woken_.wait_for(lock, std::chrono::milliseconds(300), [] { return false; });
      continue;
    }
    const auto code = link_.publish(publish.topic, publish.payload, publish.qos, kAnswer);
    if (!code) continue;
    log_.add({.did = Did::kAccepted, .device = kind_.device(), .id = publish.id, .code = *code});
    if (*code < 0x80) return true;
    if (publish.give_up) return false;
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, std::chrono::milliseconds(300), [] { return false; });
  }
  return false;
}

void ChaosClient::send_refused_again() {
  std::vector<Publish> again;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& id : refused_) {
      if (const auto found = latest_.find(id); found != latest_.end() && !found->second.give_up)
        again.push_back(found->second);
    }
    refused_.clear();
  }
  for (const auto& publish : again) perform(publish);
}

void ChaosClient::acknowledge() {
  json delivered = json::object();
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> told;
  {
    const std::lock_guard lock(mutex_);
    if (unacknowledged_ == 0 || (unacknowledged_ < kAcknowledgeEvery && pick(0, 3) > 0 && !ending_)) return;
    told.swap(to_acknowledge_);
    unacknowledged_ = 0;
  }
  for (const auto& [conv, upto] : told) delivered[conv] = {{"seq", upto.first}, {"rev", upto.second}};
  const auto code = link_.publish("chat/ack", json{{"delivered", delivered}}.dump(), 1, kAnswer);
  if (!code || *code >= 0x80) {
    // Not taken, or nobody knows: it is said again.
    const std::lock_guard lock(mutex_);
    for (const auto& [conv, upto] : told) {
      auto& entry = to_acknowledge_[conv];
      entry = {std::max(entry.first, upto.first), std::max(entry.second, upto.second)};
    }
    ++unacknowledged_;
    return;
  }
  for (const auto& [conv, upto] : told)
    log_.add({.did = Did::kHeld, .device = kind_.device(), .conv = conv, .seq = upto.first, .code = upto.second});
}

void ChaosClient::arrived(const std::string& topic, const std::string& payload) {
  if (!topic.starts_with(own_)) return;
  const auto leaf = topic.substr(own_.size());
  if (leaf == "unread/total") {
    log_.add({.did = Did::kTotal, .device = kind_.device(), .text = payload});
    const std::lock_guard lock(mutex_);
    total_ = payload;
    return;
  }
  if (leaf != "inbox" && leaf != "event" && leaf != "ack" && leaf != "error") return;
  const auto json = nlohmann::json::parse(payload, nullptr, false);
  if (!json.is_object()) return;
  if (leaf == "inbox") return message_arrived(json, payload);
  if (leaf == "event") {
    const auto conv = json.value("conv", "");
    const auto rev = json.value("rev", std::int64_t{0});
    log_.add({.did = Did::kEvent,
              .device = kind_.device(),
              .conv = conv,
              .seq = json.value("seq", std::int64_t{0}),
              .code = rev,
              .text = json.value("kind", "")});
    const std::lock_guard lock(mutex_);
    auto& entry = to_acknowledge_[conv];
    entry.second = std::max(entry.second, rev);
    ++unacknowledged_;
    return;
  }
  if (leaf == "ack") {
    for (const auto& ack : json.value("acks", json::array())) {
      const std::string id = ack.at("id").is_string() ? ack.at("id") : "";
      if (!id.starts_with(kind_.device() + ".")) continue;
      const std::string conv = ack.at("conv");
      const std::int64_t seq = ack.at("seq");
      witness_.told_sent(kind_.device(), id, conv, seq);
      const std::lock_guard lock(mutex_);
      const auto known =
          std::any_of(mine_.begin(), mine_.end(), [&](const Own& own) { return own.conv == conv && own.seq == seq; });
      if (known) continue;
      if (mine_.size() >= kRecent) mine_.erase(mine_.begin());
      mine_.push_back({.conv = conv, .seq = seq});
    }
    return;
  }
  const std::string id = json.contains("id") && json["id"].is_string() ? json["id"] : "";
  if (!id.starts_with(kind_.user + "-")) return;
  const auto code = json.value("code", "");
  // Of the user's other device, too: that one may be away.
  log_.add({.did = Did::kRefused, .device = kind_.device(), .id = id, .text = code});
  if (!id.starts_with(kind_.device() + ".")) return;
  const std::lock_guard lock(mutex_);
  if (code == "storage_full" || code == "unavailable") refused_.push_back(id);
}

void ChaosClient::message_arrived(const nlohmann::json& json, const std::string& payload) {
  const auto conv = json.value("conv", "");
  const auto seq = json.value("seq", std::int64_t{0});
  const bool recalled = json.contains("recalled");
  log_.add({.did = Did::kMessage,
            .device = kind_.device(),
            .conv = conv,
            .seq = seq,
            .id = json.value("id", ""),
            .bytes = hash_of(payload),
            .text = recalled                  ? "recalled"
                    : json.contains("edited") ? "edited"
                                              : ""});
  const std::lock_guard lock(mutex_);
  auto& highest = highest_[conv];
  highest = std::max(highest, seq);
  // As an app has to: only what it has without a hole. Of a room that it visits it can't know where that begins.
  auto& entry = to_acknowledge_[conv];
  if (visits(conv)) {
    entry.first = std::max(entry.first, seq);
  } else {
    auto& [whole, beyond] = whole_[conv];
    beyond.insert(seq);
    while (!beyond.empty() && *beyond.begin() <= whole + 1)
      whole = std::max(whole, beyond.extract(beyond.begin()).value());
    entry.first = whole;
  }
  ++unacknowledged_;
}

std::int64_t ChaosClient::highest(const std::string& conv) const {
  const std::lock_guard lock(mutex_);
  const auto found = highest_.find(conv);
  return found == highest_.end() ? 0 : found->second;
}

std::string ChaosClient::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

}  // namespace chat::test
