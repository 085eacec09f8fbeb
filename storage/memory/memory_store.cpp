// The hot path's side of the twin, its reads and its faults. The admin's side: memory_admin.cpp.
#include "storage/memory/memory_store.h"

#include <algorithm>
#include <thread>

#include "storage/memory/clock.h"
#include "storage/names.h"
#include "storage/refusals.h"
#include "storage/uuid.h"

namespace chat {

void MemoryStore::fail_next(Fault fault, int times) {
  const Lock lock(mutex_);
  faults_.insert(faults_.end(), static_cast<std::size_t>(std::max(times, 0)), fault);
}

void MemoryStore::fail_next_commit(Fault fault, int times) {
  const Lock lock(mutex_);
  commit_faults_.insert(commit_faults_.end(), static_cast<std::size_t>(std::max(times, 0)), fault);
}

void MemoryStore::set_available(bool available) {
  const Lock lock(mutex_);
  available_ = available;
  if (!available) told_everything_ = false;
  changed_.notify_all();
}

void MemoryStore::set_delay(std::chrono::milliseconds delay) {
  const Lock lock(mutex_);
  delay_ = delay;
}

void MemoryStore::clear_interrupt() {
  const Lock lock(mutex_);
  interrupted_ = false;
}

void MemoryStore::interrupt() noexcept {
  const Lock lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

std::optional<MemoryStore::Fault> MemoryStore::due_fault(bool commit) {
  auto& faults = commit && !commit_faults_.empty() ? commit_faults_ : faults_;
  if (faults.empty()) return std::nullopt;
  const Fault fault = faults.front();
  faults.pop_front();
  return fault;
}

MemoryStore::Lock MemoryStore::enter(bool commit) {
  Lock lock(mutex_);
  if (delay_.count() > 0) changed_.wait_for(lock, delay_, [this] { return interrupted_; });
  if (interrupted_) throw StoreUnavailable("interrupted");
  if (!available_) throw StoreUnavailable("the twin was made unavailable");
  if (commit) return lock;  // commit() looks at its faults itself
  if (const auto fault = due_fault(false)) {
    if (*fault == Fault::kCorrupt) throw StoreCorrupt("a fault was ordered");
    throw StoreUnavailable("a fault was ordered");
  }
  return lock;
}

std::optional<Position> MemoryStore::checkpoint(const Uuid& journal) {
  const Lock lock = enter();
  const auto it = journals_.find(journal);
  if (it == journals_.end()) return std::nullopt;
  return it->second.position;
}

CommitResult MemoryStore::commit(const Batch& batch) {
  const Lock lock = enter(true);
  const auto fault = due_fault(true);
  if (fault == Fault::kUnavailable) throw StoreUnavailable("a fault was ordered");
  if (fault == Fault::kCorrupt) throw StoreCorrupt("a fault was ordered");
  if (fault == Fault::kInDoubtNotDone) throw StoreInDoubt("a fault was ordered; the batch was not committed");
  const auto result = apply(batch);
  if (fault == Fault::kInDoubtDone) throw StoreInDoubt("a fault was ordered; the batch was committed");
  return result;
}

// Throws where the batch can't be applied, before anything is changed.
void MemoryStore::check(const Batch& batch) const {
  std::map<ConvId, Seq> last;
  for (const auto& message : batch.messages) {
    const auto it = conversations_.find(message.conv_id);
    if (it == conversations_.end()) {
      throw StoreCorrupt("the batch names conversation " + std::to_string(message.conv_id) + ", which is not there");
    }
    const Seq before = last.try_emplace(message.conv_id, it->second.state.last_seq).first->second;
    if (message.seq <= before) {
      throw StoreCorrupt("seq " + std::to_string(message.seq) + " of conversation " + std::to_string(message.conv_id) +
                         " comes behind " + std::to_string(before));
    }
    last[message.conv_id] = message.seq;
  }
}

CommitResult MemoryStore::apply(const Batch& batch) {
  if (batch.to < batch.from) throw StoreCorrupt("the batch ends before it begins");
  const auto journal = journals_.find(batch.journal);
  if (journal != journals_.end()) {
    const Position position = journal->second.position;
    if (position >= batch.to) return CommitResult::kAlreadyApplied;
    if (position != batch.from) {
      throw StoreCorrupt("journal " + uuid_text(batch.journal) + " was committed up to " + std::to_string(position) +
                         ", the batch goes from " + std::to_string(batch.from) + " to " + std::to_string(batch.to));
    }
  }
  check(batch);
  for (const auto& message : batch.messages) {
    auto& conversation = conversations_.at(message.conv_id);
    auto& kept = conversation.messages[message.seq] = message;
    kept.conv = conversation.state.name;
    conversation.state.last_seq = message.seq;
    conversation.state.last_time = std::max(conversation.state.last_time, message.server_time);
  }
  for (const auto& update : batch.cursors) apply_cursor(update);
  commands_.insert(commands_.end(), batch.commands.begin(), batch.commands.end());
  journals_[batch.journal] = {batch.to, clock_now()};
  ++commits_;
  return CommitResult::kApplied;
}

void MemoryStore::apply_cursor(const CursorUpdate& update) {
  const auto it = conversations_.find(update.conv_id);
  if (it == conversations_.end() || !valid_device_name(update.device)) return;
  auto& state = it->second.state;
  const auto member =
      std::find_if(state.members.begin(), state.members.end(), [&](const Member& m) { return m.user == update.user; });
  if (member == state.members.end()) return;
  const Seq read = std::min(update.read, state.last_seq);
  member->read = std::max(member->read, read);
  Cursor cursor = effective(update.device, *member, it->second, update.user);
  cursor.delivered = std::max({cursor.delivered, std::min(update.delivered, state.last_seq), read});
  cursor.rev = std::max(cursor.rev, std::min(update.rev, state.last_rev));
  cursors_[{update.user, update.device, update.conv_id}] = cursor;
}

MemoryStore::Cursor MemoryStore::effective(const std::string& device, const Member& member,
                                           const Conversation& conversation, std::string_view user) const {
  Cursor cursor{member.join_seq - 1, member.join_rev - 1};
  if (const auto it = cursors_.find({std::string(user), device, conversation.state.id}); it != cursors_.end()) {
    cursor.delivered = std::max(cursor.delivered, it->second.delivered);
    cursor.rev = std::max(cursor.rev, it->second.rev);
  }
  return cursor;
}

MemoryStore::Conversation* MemoryStore::find(std::string_view name) {
  for (auto& [id, conversation] : conversations_) {
    if (conversation.state.name == name) return &conversation;
  }
  return nullptr;
}

const MemoryStore::Conversation* MemoryStore::find(std::string_view name) const {
  return const_cast<MemoryStore*>(this)->find(name);
}

DirectStanding MemoryStore::standing(std::string_view first, std::string_view second) const {
  const auto is = [&](std::string_view user, std::string_view other, ContactState state) {
    const auto row = contacts_.find({std::string(user), std::string(other)});
    return row != contacts_.end() && row->second == state;
  };
  return {is(first, second, ContactState::kBlocked), is(second, first, ContactState::kBlocked),
          is(first, second, ContactState::kAccepted) || is(second, first, ContactState::kAccepted)};
}

std::vector<std::optional<ConversationState>> MemoryStore::load_conversations(std::span<const std::string> names,
                                                                              const LoadTerms& terms) {
  const Lock lock = enter();
  std::vector<std::optional<ConversationState>> answers;
  for (const auto& name : names) answers.push_back(load(name, terms));
  return answers;
}

std::optional<ConversationState> MemoryStore::load(std::string_view name, const LoadTerms& terms) {
  const auto& source = terms.source;
  const auto users = direct_users(name);
  const auto between = users ? standing(users->first, users->second) : DirectStanding{};
  if (auto* conversation = find(name)) {
    const auto before = std::exchange(conversation->source, source);
    if (before && before->journal == source.journal && before->losses != source.losses) {
      conversation->jumped_to = conversation->state.last_seq += kSeqJump;
    }
    conversation->state.standing = between;
    return conversation->state;
  }
  if (!users) return std::nullopt;
  if (kept_apart(between, terms.contacts_only)) return apart_conversation(name, between);
  if (!users_.contains(users->first) || !users_.contains(users->second)) return std::nullopt;
  ConversationState state;
  state.standing = between;
  state.id = static_cast<ConvId>(conversations_.size()) + 1;
  state.name = name;
  state.kind = ConversationKind::kDirect;
  state.members = {Member{.user = std::string(users->first)}, Member{.user = std::string(users->second)}};
  auto& made = conversations_[state.id];
  made.state = state;
  made.source = source;
  tell({Change::Kind::kConversation, state.name, ""});
  return state;
}

std::optional<UserState> MemoryStore::load_user(std::string_view name, int recent_limit, bool create) {
  const Lock lock = enter();
  if (!users_.contains(name)) {
    if (!create || !valid_user_name(name)) return std::nullopt;
    users_.emplace(name, clock_now());
  }
  std::vector<const StoredMessage*> mine;
  for (const auto& [id, conversation] : conversations_) {
    for (const auto& [seq, message] : conversation.messages) {
      if (message.sender == name && !message.id.empty()) mine.push_back(&message);
    }
  }
  std::stable_sort(mine.begin(), mine.end(), [](auto* a, auto* b) { return a->server_time < b->server_time; });
  const auto wanted = static_cast<std::size_t>(std::max(recent_limit, 0));
  if (mine.size() > wanted) mine.erase(mine.begin(), mine.end() - static_cast<std::ptrdiff_t>(wanted));
  UserState user{std::string(name), {}};
  for (const auto* m : mine) {
    user.recent.push_back({m->id, m->conv, m->conv_id, m->seq, m->server_time, m->mid, m->payload,
                           conversations_.at(m->conv_id).rewritten.contains(m->seq)});
  }
  return user;
}

DeviceOpening MemoryStore::open_device(std::string_view user, std::string_view device) {
  const Lock lock = enter();
  if (!valid_device_name(device)) throw bad_device_name(device);
  must_exist(user);
  auto& row = devices_.try_emplace({std::string(user), std::string(device)}).first->second;
  row.user = user;
  row.device = device;
  DeviceOpening opening;
  opening.first_seen = row.first_seen == 0;
  row.last_seen = clock_now();
  if (opening.first_seen) {
    row.first_seen = row.last_seen;
    forget_surplus_devices(row);
  }
  opening.settings = row.settings;
  for (const auto& [id, conversation] : conversations_) {
    const auto& state = conversation.state;
    for (const auto& member : state.members) {
      if (member.user != user) continue;
      Cursor cursor = effective(row.device, member, conversation, user);
      if (opening.first_seen) {
        cursor = {std::max(cursor.delivered, member.read), state.last_rev};
        cursors_[{row.user, row.device, id}] = cursor;
      }
      if (const auto owed = owed_above(cursor, conversation)) opening.owed.push_back(*owed);
    }
  }
  std::stable_sort(opening.owed.begin(), opening.owed.end(), [this](const Owed& a, const Owed& b) {
    return conversations_.at(a.conv_id).state.last_time > conversations_.at(b.conv_id).state.last_time;
  });
  return opening;
}

void MemoryStore::forget_surplus_devices(const DeviceRow& newest) {
  std::vector<const DeviceRow*> others;
  for (const auto& [name, row] : devices_) {
    if (row.user == newest.user && row.device != newest.device) others.push_back(&row);
  }
  if (others.size() < kDevicesKept) return;
  std::sort(others.begin(), others.end(), [](const DeviceRow* a, const DeviceRow* b) {
    return std::pair(-a->last_seen, a->device) < std::pair(-b->last_seen, b->device);
  });
  others.erase(others.begin(), others.begin() + kDevicesKept - 1);
  for (const auto* surplus : others) {
    std::erase_if(cursors_, [&](const auto& cursor) {
      return std::get<0>(cursor.first) == surplus->user && std::get<1>(cursor.first) == surplus->device;
    });
    devices_.erase({surplus->user, surplus->device});
  }
}

std::optional<Owed> MemoryStore::owed_in(std::string_view user, std::string_view device, ConvId conv) {
  const Lock lock = enter();
  const auto it = conversations_.find(conv);
  if (it == conversations_.end()) return std::nullopt;
  for (const auto& member : it->second.state.members) {
    if (member.user == user) return owed_above(effective(std::string(device), member, it->second, user), it->second);
  }
  return std::nullopt;
}

std::optional<Owed> MemoryStore::owed_above(const Cursor& cursor, const Conversation& conversation) {
  const auto& state = conversation.state;
  if (cursor.delivered >= state.last_seq && cursor.rev >= state.last_rev) return std::nullopt;
  return Owed{state.id,   state.name,     cursor.delivered,      state.last_seq,
              cursor.rev, state.last_rev, conversation.jumped_to};
}

std::vector<StoredMessage> MemoryStore::messages_above(std::span<const PageWant> wants, int limit,
                                                       std::size_t bytes_max) {
  const Lock lock = enter();
  std::vector<StoredMessage> page;
  std::size_t bytes = 0;
  for (const auto& want : wants) {
    const auto it = conversations_.find(want.conv_id);
    if (it == conversations_.end()) continue;
    const auto& messages = it->second.messages;
    for (auto m = messages.upper_bound(want.above); m != messages.end(); ++m) {
      if (static_cast<int>(page.size()) >= limit) return page;
      page.push_back(m->second);
      bytes += m->second.payload.size();
      if (bytes >= bytes_max) return page;
    }
  }
  return page;
}

std::vector<StoredEvent> MemoryStore::events_above(ConvId conv, Rev above, int limit) {
  const Lock lock = enter();
  std::vector<StoredEvent> page;
  const auto it = conversations_.find(conv);
  if (it == conversations_.end()) return page;
  for (const auto& event : it->second.events) {
    if (static_cast<int>(page.size()) >= limit) break;
    if (event.rev > above) page.push_back(event);
  }
  return page;
}

void MemoryStore::tell(Change change) {
  changes_.push_back(std::move(change));
  changed_.notify_all();
}

std::vector<Change> MemoryStore::wait(std::chrono::milliseconds timeout) {
  Lock lock(mutex_);
  const auto ready = [this] { return interrupted_ || !available_ || !told_everything_ || !changes_.empty(); };
  changed_.wait_for(lock, timeout, ready);
  if (interrupted_) throw StoreUnavailable("interrupted");
  if (!available_) throw StoreUnavailable("the twin was made unavailable");
  if (!told_everything_) {
    told_everything_ = true;
    changes_.clear();
    return {Change{Change::Kind::kEverything, "", ""}};
  }
  return std::exchange(changes_, {});
}

std::vector<StoredMessage> MemoryStore::messages(std::string_view conv) const {
  const Lock lock(mutex_);
  std::vector<StoredMessage> all;
  if (const auto* conversation = find(conv)) {
    for (const auto& [seq, message] : conversation->messages) all.push_back(message);
  }
  return all;
}

std::vector<StoredCommand> MemoryStore::commands() const {
  const Lock lock(mutex_);
  return commands_;
}

std::optional<std::pair<Seq, Rev>> MemoryStore::cursor(std::string_view user, std::string_view device,
                                                       std::string_view conv) const {
  const Lock lock(mutex_);
  const auto* conversation = find(conv);
  if (conversation == nullptr) return std::nullopt;
  const auto it = cursors_.find({std::string(user), std::string(device), conversation->state.id});
  if (it == cursors_.end()) return std::nullopt;
  return std::pair{it->second.delivered, it->second.rev};
}

int MemoryStore::commits() const {
  const Lock lock(mutex_);
  return commits_;
}

}  // namespace chat
