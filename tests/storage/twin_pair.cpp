#include "tests/storage/twin_pair.h"

#include <algorithm>
#include <sstream>

#include "storage/labels.h"
#include "storage/uuid.h"

namespace chat::test {
namespace {

Uuid uuid_of(const WantedBatch::Message& message) {
  return {static_cast<std::uint8_t>(message.conv), static_cast<std::uint8_t>(message.seq >> 8),
          static_cast<std::uint8_t>(message.seq)};
}

Batch batch_for(const Side& side, const WantedBatch& wanted) {
  Batch batch;
  batch.journal = {0x42};
  batch.from = wanted.from;
  batch.to = wanted.to;
  for (const auto& from : wanted.messages) {
    StoredMessage message;
    message.conv_id = side.id(from.conv);
    message.seq = from.seq;
    message.server_time = from.time;
    message.sender = from.sender;
    message.id = from.id;
    message.mid = uuid_of(from);
    message.payload = from.payload;
    if (from.rich) {
      message.type = MessageType::kVoice;
      message.reply_to = from.seq;
      message.ttl_s = 60;
      message.mentions = {"alice", "null", "a,\"b\\"};
    }
    batch.messages.push_back(std::move(message));
  }
  for (const auto& c : wanted.cursors) {
    batch.cursors.push_back({side.id(c.conv), c.user, c.device, c.delivered, c.rev, c.read, c.at});
  }
  for (int i = 0; i < wanted.commands; ++i) {
    batch.commands.push_back({wanted.from + static_cast<Position>(i), 1, "recall", "alice", "phone", 5, "{}"});
  }
  return batch;
}

}  // namespace

void Side::learn(const ConversationState& state) {
  if (numbers_.contains(state.id)) return;
  numbers_[state.id] = conversations();
  known_.emplace_back(state.name, state.id);
}

std::string Side::name(int number) const {
  return number < conversations() ? known_[static_cast<std::size_t>(number)].first : "g:none";
}

ConvId Side::id(int number) const {
  return number < conversations() ? known_[static_cast<std::size_t>(number)].second : 1'000'000;
}

std::string Side::number_of(ConvId id) const {
  const auto it = numbers_.find(id);
  return it == numbers_.end() ? "unknown" : "#" + std::to_string(it->second);
}

std::string Side::neutral(std::string text) const {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const auto& name = known_[i].first;
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
      text.replace(at, name.size(), "#" + std::to_string(i));
    }
  }
  return text;
}

std::string Side::text(const std::optional<ConversationState>& state) const {
  if (!state) return "none";
  std::ostringstream out;
  out << number_of(state->id) << ' ' << neutral(state->name) << ' ' << label(state->kind) << ' ' << state->title
      << " seq " << state->last_seq << " time " << state->last_time << " rev " << state->last_rev << " at "
      << state->changed_at << ' ' << state->announcement << " stand " << state->standing.first_blocks
      << state->standing.second_blocks << state->standing.contacts;
  for (const auto& member : state->members) {
    out << '\n'
        << member.user << ' ' << label(member.role) << ' ' << member.join_seq << ' ' << member.join_rev << ' '
        << member.read;
  }
  return out.str();
}

std::string Side::text(const std::optional<UserState>& user) const {
  if (!user) return "none";
  std::ostringstream out;
  out << user->name;
  for (const auto& r : user->recent) {
    out << '\n'
        << r.id << ' ' << neutral(r.conv) << ' ' << number_of(r.conv_id) << ' ' << r.seq << ' ' << r.server_time << ' '
        << uuid_text(r.mid) << ' ' << r.payload;
  }
  return out.str();
}

std::string Side::text(const DeviceOpening& opening) const {
  std::ostringstream out;
  out << opening.first_seen << ' ' << text(DeviceRow{"", "", 0, 0, opening.settings});
  for (const auto& o : opening.owed) {
    out << '\n'
        << number_of(o.conv_id) << ' ' << neutral(o.conv) << ' ' << o.delivered << '/' << o.last_seq << ' ' << o.rev
        << '/' << o.last_rev << " jumped to " << o.jumped_to;
  }
  return out.str();
}

std::string Side::text(const std::vector<StoredMessage>& messages) const {
  std::ostringstream out;
  for (const auto& m : messages) {
    out << number_of(m.conv_id) << ' ' << neutral(m.conv) << ' ' << m.seq << ' ' << m.server_time << ' ' << m.sender
        << ' ' << m.id << ' ' << uuid_text(m.mid) << ' ' << label(m.type) << ' ' << m.reply_to << ' ' << m.ttl_s << ' '
        << m.payload;
    for (const auto& name : m.mentions) out << " @" << name;
    out << '\n';
  }
  return out.str();
}

std::string Side::text(const std::vector<StoredEvent>& events) const {
  std::ostringstream out;
  for (const auto& e : events) {
    out << number_of(e.conv_id) << ' ' << neutral(e.conv) << ' ' << e.rev << ' ' << e.server_time << ' '
        << neutral(e.payload) << '\n';
  }
  return out.str();
}

std::string Side::text(const std::vector<UserRow>& users) const {
  std::ostringstream out;
  for (const auto& user : users) out << user.name << ' ' << user.conversations << '\n';
  return out.str();
}

// Their order by name is not comparable where the names are chance.
std::string Side::text(std::vector<ConversationRow> rows) const {
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::ostringstream out;
    out << neutral(row.name) << ' ' << label(row.kind) << ' ' << row.title << ' ' << row.members << ' ' << row.last_seq
        << ' ' << row.last_time;
    lines.push_back(out.str());
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& line : lines) text += line + '\n';
  return text;
}

std::string Side::text(const DeviceRow& row) const {
  std::ostringstream out;
  const auto& s = row.settings;
  out << row.user << ' ' << row.device << ' ' << (row.first_seen > 0) << (row.last_seen > 0) << ' '
      << (s.replay ? label(*s.replay) : "-") << ' ' << s.replay_limit.value_or(-1) << ' '
      << (s.ack ? label(*s.ack) : "-");
  return out.str();
}

std::string Side::text(const std::vector<DeviceRow>& rows) const {
  std::string all;
  for (const auto& row : rows) all += text(row) + '\n';
  return all;
}

std::string Side::text(const StoreStatus& status) const {
  std::ostringstream out;
  out << status.users << ' ' << status.conversations << ' ' << status.commands_waiting;
  for (const auto& journal : status.journals) out << ' ' << journal.id << ' ' << journal.position;
  return out.str();
}

std::string TwinPair::compare(const std::string& what, const std::string& one, const std::string& other) {
  ++counts_[one.substr(0, one.find_first_of(":\n"))];
  if (one == other) return "";
  return what + "\none answered:\n" + one + "\nthe other answered:\n" + other;
}

std::string TwinPair::create_group(const std::string& title, const std::string& owner,
                                   const std::vector<std::string>& members, TimeMs now) {
  return both("create_group by " + owner, [&](Side& side) {
    const auto name = side.store.create_group(title, owner, members, now);
    const auto state = side.store.find_conversation(name);
    side.learn(state.value());
    return side.text(state);
  });
}

std::string TwinPair::conversation(const std::string& name, const std::optional<LoadTerms>& terms) {
  return both("load " + name, [&](Side& side) {
    const auto state = terms ? side.store.load_conversation(name, *terms) : side.store.find_conversation(name);
    if (state && state->id != 0) side.learn(*state);
    return side.text(state);
  });
}

std::string TwinPair::conversations(const std::vector<std::string>& wanted, const LoadTerms& terms) {
  return both("load " + std::to_string(wanted.size()) + " at once", [&](Side& side) {
    std::vector<std::string> names;
    for (const auto& one : wanted) names.push_back(one.front() == '#' ? side.name(std::stoi(one.substr(1))) : one);
    std::string all;
    for (const auto& state : side.store.load_conversations(names, terms)) {
      if (state && state->id != 0) side.learn(*state);
      all += side.text(state) + '\n';
    }
    return all;
  });
}

std::string TwinPair::commit(const std::string& what, const WantedBatch& batch) {
  return both(what, [&](Side& side) {
    const auto result = side.store.commit(batch_for(side, batch));
    return std::string(result == CommitResult::kApplied ? "applied" : "already applied") + ": " +
           std::to_string(side.store.checkpoint({0x42}).value_or(0));
  });
}

int TwinPair::count(const std::string& outcome) const {
  int sum = 0;
  for (const auto& [text, count] : counts_) {
    if (text.starts_with(outcome)) sum += count;
  }
  return sum;
}

std::string TwinPair::summary() const {
  std::ostringstream out;
  out << "applied " << count("applied") << ", already applied " << count("already applied") << ", corrupt "
      << count("corrupt") << ", refused " << count("refused") << ", conversations " << groups();
  return out.str();
}

}  // namespace chat::test
