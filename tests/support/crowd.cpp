#include "tests/support/crowd.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "tests/support/commanding.h"
#include "tests/support/database.h"
#include "tests/support/requesting.h"
#include "tests/support/seed.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

using nlohmann::json;

constexpr int kRecent = 30;                              // messages that commands are about
constexpr std::chrono::seconds kOldest{60};              // of them: far within the recall window
constexpr std::size_t kReceivedMax = 2000;               // by then a client forgets what it received
constexpr std::array<const char*, 2> kEmojis{"👍", "🎉"};  // of a user's first device, and of the second

}  // namespace

void Told::take(const Message& message, const std::string& own_prefix) {
  if (!message.topic.starts_with(own_prefix)) return;
  const auto leaf = message.topic.substr(own_prefix.size());
  const std::scoped_lock lock(mutex_);
  if (leaf == "unread/total") total_ = message.payload;
  if (leaf == "unread") {
    ++pushes_;
    if (message.json.value("page", 0) == 1) unread_.clear();
    for (const auto& row : message.json.value("conversations", json::array())) {
      const CrowdModel::Count count{row.at("unread"), row.at("mentions"), row.at("muted")};
      unread_.erase(row.at("conv").get<std::string>());
      if (count.unread > 0) unread_[row.at("conv")] = count;
    }
  }
  if (leaf == "receipt") {
    ++pushes_;
    receipts_[{message.json.at("conv"), message.json.at("user")}] = {message.json.at("delivered"),
                                                                     message.json.at("read")};
  }
  if (leaf == "event") {
    auto& rev = events_[field(message, "conv") + " " + field(message, "kind") + " " + field(message, "user")];
    rev = std::max(rev, message.json.value("rev", std::int64_t{0}));
  }
}

std::map<std::string, CrowdModel::Count> Told::unread() const {
  const std::scoped_lock lock(mutex_);
  return unread_;
}

std::string Told::total() const {
  const std::scoped_lock lock(mutex_);
  return total_;
}

std::map<std::pair<std::string, std::string>, std::pair<std::int64_t, std::int64_t>> Told::receipts() const {
  const std::scoped_lock lock(mutex_);
  return receipts_;
}

std::int64_t Told::heard(const std::string& conv, const std::string& kind, const std::string& user) const {
  const std::scoped_lock lock(mutex_);
  const auto found = events_.find(conv + " " + kind + " " + user);
  return found == events_.end() ? 0 : found->second;
}

void Told::came_back(std::map<std::string, std::int64_t> last_seqs) {
  const std::scoped_lock lock(mutex_);
  there_since_ = std::move(last_seqs);
}

std::int64_t Told::there_since(const std::string& conv) const {
  const std::scoped_lock lock(mutex_);
  const auto found = there_since_.find(conv);
  return found == there_since_.end() ? 0 : found->second;
}

std::size_t Told::pushes() const {
  const std::scoped_lock lock(mutex_);
  return pushes_;
}

Crowd::Crowd(Stack& stack, int users, int groups) : stack_(stack), users_(stack.new_users(users)) {
  auto chance = generator("crowd");
  for (int i = 0; i < groups; ++i) {
    auto members = users_;
    std::shuffle(members.begin(), members.end(), chance);
    members.resize(std::uniform_int_distribution<std::size_t>(3, users_.size())(chance));
    Group group{.conv = {}, .owner = members[0], .comes_and_goes = members[1]};
    group.conv = stack.new_group(group.owner, {members.begin() + 1, members.end()});
    for (const auto& user : members) model_.join(group.conv, user, user == group.owner);
    groups_.push_back(std::move(group));
  }
  for (const auto& user : users_) {
    for (int number = 0; number < 2; ++number) {
      auto client = std::make_unique<Client>();
      client->user = user;
      client->number = number;
      client->chance = generator("crowd " + std::to_string(clients_.size()));
      DeviceOptions options;
      options.device = user + "-" + std::to_string(number);
      options.protocol = number == 0 ? kMqtt5 : kMqtt311;
      options.acknowledge_every = 10;
      options.on_message = [told = &client->told, own = "chat/u/" + user + "/"](const Message& message) {
        told->take(message, own);
      };
      client->link = std::make_unique<ChatClient>(stack.port(), user, options);
      client->link->connect();
      clients_.push_back(std::move(client));
    }
  }
}

Crowd::~Crowd() {
  ending_ = true;
  for (auto& client : clients_) {
    if (client->thread.joinable()) client->thread.join();
  }
}

ChatClient& Crowd::device(const std::string& user, int number) {
  const auto place = std::find(users_.begin(), users_.end(), user) - users_.begin();
  return *clients_[static_cast<std::size_t>(2 * place + number)]->link;
}

const Told& Crowd::told(const std::string& user, int number) const {
  const auto place = std::find(users_.begin(), users_.end(), user) - users_.begin();
  return clients_[static_cast<std::size_t>(2 * place + number)]->told;
}

void Crowd::run(std::chrono::seconds duration) {
  ending_ = false;
  for (auto& client : clients_) client->thread = std::thread([this, one = client.get()] { work(*one); });
  const auto end = std::chrono::steady_clock::now() + duration;
  const auto over = [&] {
    const std::scoped_lock lock(mutex_);
    return !failures_.empty() || std::chrono::steady_clock::now() >= end;
  };
  eventually("the end of the run", over, duration + kPatience);
  ending_ = true;
  for (auto& client : clients_) client->thread.join();
  if (!failures_.empty()) throw std::runtime_error(failures_.front());
}

void Crowd::work(Client& client) {
  try {
    while (!ending_) {
      step(client);
      if (client.link->mqtt().received_count() > kReceivedMax) client.link->mqtt().forget();
    }
  } catch (const std::exception& error) {
    const std::scoped_lock lock(mutex_);
    failures_.push_back(client.user + ": " + error.what());
    ending_ = true;
  }
}

void Crowd::step(Client& client) {
  const auto mine = model_.conversations_of(client.user);
  const auto conv =
      mine.empty() ? std::string() : mine[static_cast<std::size_t>(pick(client, 0, int(mine.size()) - 1))];
  const int what = pick(client, 0, 99);
  if (conv.empty() || what < 5) {
    const auto& to = users_[static_cast<std::size_t>(pick(client, 0, int(users_.size()) - 1))];
    if (to != client.user) send(client, direct_conversation(client.user, to), to);
    return;
  }
  if (what < 38) return send(client, conv, {});
  if (what < 58) return read(client, conv);
  if (what < 66) return recall(client, conv);
  if (what < 74) return edit(client, conv);
  if (what < 84) return react(client, conv);
  if (what < 88) return erase(client, conv, what == 84);
  if (what < 91 && client.number == 0) return mute(client, conv);
  if (what < 94 && client.number == 0) return change_membership(client);
  if (what < 97) {
    client.link->mqtt().publish("chat/c/" + conv + "/typing", json{{"on", true}});
    return count("typing");
  }
  if (what == 97) {
    client.link->mqtt().drop();
  } else {
    client.link->mqtt().disconnect();
  }
  client.link->connect();
  std::map<std::string, std::int64_t> last_seqs;
  for (const auto& each : model_.conversations_of(client.user)) last_seqs[each] = model_.last(each);
  client.told.came_back(std::move(last_seqs));
  count("reconnects");
}

void Crowd::send(Client& client, const std::string& conv, const std::string& to) {
  const std::shared_lock lock(gate(conv));
  // A direct conversation is there from the first message on; two may send it at once.
  if (to.empty() && !model_.member(conv, client.user)) return;
  CrowdModel::Said said{
      .sender = client.user, .device = client.link->device(), .id = client.link->new_id(), .body = {}};
  said.body = "body of " + said.id;
  auto payload = text(said.id, said.body);
  if (pick(client, 0, 9) == 0) {
    said.mentions.insert(users_[static_cast<std::size_t>(pick(client, 0, int(users_.size()) - 1))]);
    payload["mentions"] = said.mentions;
  }
  if (pick(client, 0, 14) == 0) {
    said.expires = true;
    payload["ttl"] = 1;
  }
  const auto topic = to.empty() ? message_topic(conv) : direct_topic(to);
  const int copies = pick(client, 0, 9) == 0 ? 2 : 1;  // a retry, as after a reconnect
  for (int copy = 0; copy < copies; ++copy) client.link->mqtt().publish(topic, payload);
  const auto ack = client.link->sent(said.id);
  if (!to.empty()) model_.join_direct(conv, client.user, to);
  model_.said(conv, ack.at("seq"), std::move(said));
  count(copies > 1 ? "messages sent twice" : "messages");
}

void Crowd::read(Client& client, const std::string& conv) {
  const std::shared_lock lock(gate(conv));
  if (!model_.member(conv, client.user)) return;
  const auto last = model_.last(conv);
  if (last == 0) return;
  const auto seq = pick(client, 0, 2) == 0 ? last : std::max<std::int64_t>(1, last - pick(client, 0, 20));
  client.link->mqtt().publish("chat/c/" + conv + "/read", json{{"seq", seq}});
  model_.read(conv, client.user, seq);
  count("readings");
}

template <typename Wanted>
std::int64_t Crowd::recent(Client& client, const std::string& conv, Wanted wanted) {
  std::vector<std::int64_t> fit;
  const auto now = std::chrono::steady_clock::now();
  const auto seen = model_.visible(conv, client.user);
  int looked_at = 0;
  for (auto one = seen.rbegin(); one != seen.rend() && looked_at < kRecent; ++one, ++looked_at) {
    if (now - one->second.at < kOldest && wanted(one->second)) fit.push_back(one->first);
  }
  return fit.empty() ? 0 : fit[static_cast<std::size_t>(pick(client, 0, int(fit.size()) - 1))];
}

void Crowd::recall(Client& client, const std::string& conv) {
  const std::shared_lock lock(gate(conv));
  if (!model_.member(conv, client.user)) return;
  const bool owner = model_.owner(conv, client.user);
  const auto seq = recent(client, conv, [&](const auto& said) { return owner || said.sender == client.user; });
  if (seq == 0) return;
  give_command(*client.link, conv, "recall", seq);
  model_.recall(conv, seq);
  count("recalls");
}

void Crowd::edit(Client& client, const std::string& conv) {
  const std::shared_lock lock(gate(conv));
  if (!model_.member(conv, client.user)) return;
  const auto seq = recent(client, conv, [&](const auto& said) {
    return said.device == client.link->device() && !said.recalled && !said.expires;
  });
  if (seq == 0) return;
  const auto body = "edited by " + client.link->new_id();
  give_command(*client.link, conv, "edit", seq, {{"body", body}});
  model_.edit(conv, seq, body);
  count("edits");
}

void Crowd::react(Client& client, const std::string& conv) {
  const std::shared_lock lock(gate(conv));
  if (!model_.member(conv, client.user)) return;
  const auto seq = recent(client, conv, [](const auto& said) { return !said.recalled && !said.expires; });
  if (seq == 0) return;
  const std::string emoji = kEmojis[static_cast<std::size_t>(client.number)];
  const bool on = pick(client, 0, 2) > 0;
  give_command(*client.link, conv, "react", seq, {{"emoji", emoji}, {"on", on}});
  model_.react(conv, seq, client.user, emoji, on);
  count("reactions");
}

void Crowd::erase(Client& client, const std::string& conv, bool all) {
  const std::shared_lock lock(gate(conv));
  if (!model_.member(conv, client.user)) return;
  const auto seq = recent(client, conv, [](const auto&) { return true; });
  if (seq == 0) return;
  if (all) {
    ask(client, "message.delete", {{"conv", conv}, {"to", seq}});
    model_.delete_to(conv, client.user, seq);
  } else {
    ask(client, "message.delete", {{"conv", conv}, {"seqs", {seq}}});
    model_.hide(conv, seq, client.user);
  }
  count("deletions");
}

void Crowd::mute(Client& client, const std::string& conv) {
  const std::shared_lock lock(gate(conv));
  if (!model_.member(conv, client.user)) return;
  const bool muted = pick(client, 0, 1) == 0;
  ask(client, "settings.set", {{"conv", conv}, {"muted", muted}});
  model_.mute(conv, client.user, muted);
  count("settings");
}

void Crowd::quiet(Client& client, const std::string& conv) {
  const auto id = client.link->send(conv, "behind everything");
  const auto ack = client.link->sent(id);  // the journal is stored in order
  model_.said(conv, ack.at("seq"),
              {.sender = client.user, .device = client.link->device(), .id = id, .body = "behind everything"});
  Database database(stack_.pg());
  eventually("no command in " + conv, [&] {
    return database.number("SELECT count(*) FROM commands WHERE conv_id = (SELECT id FROM conversations WHERE name = " +
                           database.quote(conv) + ")") == 0;
  });
}

void Crowd::change_membership(Client& client) {
  const auto group =
      std::find_if(groups_.begin(), groups_.end(), [&](const auto& one) { return one.owner == client.user; });
  if (group == groups_.end()) return;
  const std::unique_lock lock(gate(group->conv));
  quiet(client, group->conv);
  const auto& user = group->comes_and_goes;
  const bool add = !model_.member(group->conv, user);
  const std::string kind = add ? "member.added" : "member.removed";
  const auto before = client.told.heard(group->conv, kind, user);
  ask(client, add ? "member.add" : "member.remove", {{"conv", group->conv}, {"users", {user}}});
  // Until the broker has heard of it, it would take what the model refuses, or refuse what the model takes.
  eventually("the broker's word of the change", [&] { return client.told.heard(group->conv, kind, user) > before; });
  if (add) {
    model_.join(group->conv, user);
  } else {
    model_.leave(group->conv, user);
  }
  count("changes of membership");
}

void Crowd::settle() {
  Database database(stack_.pg());
  eventually(
      "every command to be applied", [&] { return commands_waiting(database) == 0; }, std::chrono::minutes(4));
  eventually("everything that expires to have expired",
             [&] { return database.number("SELECT count(*) FROM voids WHERE void_at > chat_now()") == 0; });
}

json Crowd::ask(Client& client, const std::string& operation, json fields) {
  auto answer = request(*client.link, operation, std::move(fields));
  if (!answer.value("ok", false)) throw std::runtime_error(operation + " was answered " + answer.dump());
  return answer;
}

void Crowd::count(const std::string& what) {
  const std::scoped_lock lock(mutex_);
  ++done_[what];
}

std::size_t Crowd::done(const std::string& what) const {
  const auto found = done_.find(what);
  return found == done_.end() ? 0 : found->second;
}

std::string Crowd::summary() const {
  std::ostringstream text;
  for (const auto& [what, times] : done_) text << (text.tellp() > 0 ? ", " : "") << times << " " << what;
  return text.str();
}

int Crowd::pick(Client& client, int from, int to) {
  return std::uniform_int_distribution<int>(from, to)(client.chance);
}

std::shared_mutex& Crowd::gate(const std::string& conv) {
  const std::scoped_lock lock(mutex_);
  auto& gate = gates_[conv];
  if (!gate) gate = std::make_unique<std::shared_mutex>();
  return *gate;
}

}  // namespace chat::test
