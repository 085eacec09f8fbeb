#include "tests/support/command_model.h"

#include <array>

#include "tests/support/seed.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

constexpr std::array<const char*, 3> kEmojis{"👍", "❤", "🎉"};
constexpr std::size_t kUnderWayMax = 4;  // of a writer's publishes
// What was given while the bridge was away is applied one by one, each with a commit of its own.
constexpr std::chrono::minutes kBacklogPatience{4};

std::string quoted_conv(Database& database, const std::string& conv) {
  return "conv_id = (SELECT id FROM conversations WHERE name = " + database.quote(conv) + ")";
}

}  // namespace

std::int64_t CommandModel::say(const std::string& body) {
  messages_.push_back({.body = body});
  return last();
}

void CommandModel::recall(std::int64_t seq) {
  auto& message = messages_[static_cast<std::size_t>(seq - 1)];
  if (message.recalled) return;
  message.recalled = true;
  message.reactions.clear();
  events_.push_back("message.recalled " + std::to_string(seq) + " ");
}

void CommandModel::edit(std::int64_t seq, const std::string& body) {
  auto& message = messages_[static_cast<std::size_t>(seq - 1)];
  if (message.recalled) {
    ++refusals_;
    return;
  }
  message.body = body;
  message.edited = true;
  events_.push_back("message.edited " + std::to_string(seq) + " " + body);
}

void CommandModel::react(std::int64_t seq, const std::string& emoji, bool on) {
  auto& message = messages_[static_cast<std::size_t>(seq - 1)];
  if (message.recalled) {
    ++refusals_;
    return;
  }
  if (on ? !message.reactions.insert(emoji).second : message.reactions.erase(emoji) == 0) return;
  events_.push_back("message.reaction " + std::to_string(seq) + " " + emoji + (on ? " on" : " off"));
}

std::vector<std::string> CommandModel::problems(Database& database, const std::string& conv) const {
  std::vector<std::string> found;
  const auto of_conv = quoted_conv(database, conv);
  const auto rows =
      database.query("SELECT payload, recalled_at IS NOT NULL, edited_at IS NOT NULL FROM messages WHERE " + of_conv +
                     " ORDER BY seq");
  if (rows.size() != messages_.size()) found.push_back(conv + " has " + std::to_string(rows.size()) + " messages");
  for (std::size_t i = 0; i < std::min(rows.size(), messages_.size()); ++i) {
    const auto payload = nlohmann::json::parse(rows[i][0]);
    const auto& message = messages_[i];
    const bool right = message.recalled
                           ? payload.value("recalled", false) && payload.value("by", "") == user_ && rows[i][1] == "t"
                           : payload.value("body", "") == message.body && payload.contains("edited") == message.edited;
    if (!right) found.push_back("message " + std::to_string(i + 1) + " of " + conv + " is " + rows[i][0]);
  }
  std::set<std::string> expected;
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    for (const auto& emoji : messages_[i].reactions) expected.insert(std::to_string(i + 1) + " " + emoji);
  }
  std::set<std::string> reactions;
  for (const auto& row : database.query("SELECT seq || ' ' || emoji FROM reactions WHERE " + of_conv))
    reactions.insert(row[0]);
  if (reactions != expected) {
    found.push_back(conv + " has " + std::to_string(reactions.size()) + " reactions and not the " +
                    std::to_string(expected.size()) + " of the model");
  }
  // Behind conversation.created.
  const auto events =
      database.query("SELECT rev, payload, server_time FROM events WHERE " + of_conv + " AND rev > 1 ORDER BY rev");
  if (events.size() != events_.size()) {
    found.push_back(conv + " has " + std::to_string(events.size()) + " events, not " + std::to_string(events_.size()));
  }
  std::int64_t time = 0;
  for (std::size_t i = 0; i < std::min(events.size(), events_.size()); ++i) {
    const auto event = nlohmann::json::parse(events[i][1]);
    auto text = event.value("kind", "") + " " + std::to_string(event.value("seq", 0)) + " " + event.value("body", "") +
                event.value("emoji", "");
    if (event.contains("on")) text += event["on"].get<bool>() ? " on" : " off";
    if (text != events_[i] || events[i][0] != std::to_string(i + 2))
      found.push_back("event " + events[i][0] + " of " + conv + " is " + events[i][1] + ", not " + events_[i]);
    if (std::stoll(events[i][2]) < time) found.push_back("the time fell at event " + events[i][0] + " of " + conv);
    time = std::stoll(events[i][2]);
  }
  return found;
}

CommandLoad::CommandLoad(Stack& stack, int writers) {
  for (const auto& user : stack.new_users(writers)) {
    auto writer = std::make_unique<Writer>();
    writer->user = user;
    writer->conv = stack.new_group(user);
    writer->client = std::make_unique<ChatClient>(stack.port(), user, DeviceOptions{.acknowledge_every = 20});
    writer->model = std::make_unique<CommandModel>(user);
    writer->chance = generator("commands of " + std::to_string(writers_.size()));
    writer->client->connect();
    writers_.push_back(std::move(writer));
  }
}

CommandLoad::~CommandLoad() {
  ending_ = true;
  for (auto& writer : writers_) {
    if (writer->thread.joinable()) writer->thread.join();
  }
}

void CommandLoad::start() {
  for (auto& writer : writers_) writer->thread = std::thread([this, one = writer.get()] { run(*one); });
}

void CommandLoad::run(Writer& writer) {
  while (!ending_) {
    eventually("room for more publishes", [&] { return ending_ || writer.client->mqtt().under_way() < kUnderWayMax; });
    step(writer);
  }
}

void CommandLoad::step(Writer& writer) {
  auto& model = *writer.model;
  const auto pick = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(writer.chance); };
  const auto give = [&](const std::string& operation, const nlohmann::json& payload) {
    writer.client->mqtt().publish_async("chat/c/" + writer.conv + "/" + operation, payload.dump(), nullptr);
  };
  const int what = pick(0, 9);
  if (model.last() == 0 || what < 4) {
    const auto id = writer.client->new_id();
    model.say(id);
    return give("msg", text(id, id));
  }
  // One of the latest, so that commands meet on a message; also the one that was sent just now.
  const auto seq = std::max<std::int64_t>(1, model.last() - pick(0, 9));
  ++given_;
  if (what < 5) {
    model.recall(seq);
    return give("recall", {{"seq", seq}});
  }
  if (what < 7) {
    const auto body = "changed to " + std::to_string(pick(0, 1'000'000));
    model.edit(seq, body);
    return give("edit", {{"seq", seq}, {"body", body}});
  }
  const std::string emoji = kEmojis[static_cast<std::size_t>(pick(0, 2))];
  const bool on = pick(0, 2) > 0;
  model.react(seq, emoji, on);
  give("react", {{"seq", seq}, {"emoji", emoji}, {"on", on}});
}

void CommandLoad::finish() {
  ending_ = true;
  for (auto& writer : writers_) {
    writer->thread.join();
    eventually("the last acknowledgement", [&] { return writer->client->mqtt().under_way() == 0; });
    // At least once: a refusal that was published at a kill comes again.
    eventually(
        "every refusal", [&] { return writer->client->errors().size() >= writer->model->refusals(); },
        kBacklogPatience);
  }
}

std::size_t CommandLoad::events() const {
  std::size_t all = 0;
  for (const auto& writer : writers_) all += writer->model->events();
  return all;
}

std::size_t CommandLoad::refusals() const {
  std::size_t all = 0;
  for (const auto& writer : writers_) all += writer->model->refusals();
  return all;
}

std::vector<std::string> CommandLoad::problems(Database& database) const {
  std::vector<std::string> all;
  for (const auto& writer : writers_) {
    for (auto& one : writer->model->problems(database, writer->conv)) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace chat::test
