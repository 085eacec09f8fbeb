// A connection of its own to a shared in-memory twin: what each thread of the plugin has, with an interrupt() that is
// its own.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/memory/memory_store.h"

namespace chat::test {

class StoreView : public Store {
 public:
  explicit StoreView(MemoryStore& store) : store_(store) {}

  std::optional<Position> checkpoint(const Uuid& journal) override { return use().checkpoint(journal); }
  CommitResult commit(const Batch& batch) override { return use().commit(batch); }
  std::vector<std::optional<ConversationState>> load_conversations(std::span<const std::string> names,
                                                                   const LoadTerms& terms) override {
    loads.push_back({names.begin(), names.end()});
    return use().load_conversations(names, terms);
  }
  // What was asked for together each time. Look when the thread that uses it has ended.
  std::vector<std::vector<std::string>> loads;
  std::optional<UserState> load_user(std::string_view name, int limit, bool create) override {
    return use().load_user(name, limit, create);
  }
  DeviceOpening open_device(std::string_view user, std::string_view device) override {
    return use().open_device(user, device);
  }
  std::optional<Owed> owed_in(std::string_view user, std::string_view device, ConvId conv) override {
    return use().owed_in(user, device, conv);
  }
  std::vector<StoredMessage> messages_above(std::span<const PageWant> wants, int limit,
                                            std::size_t bytes_max) override {
    return use().messages_above(wants, limit, bytes_max);
  }
  std::vector<StoredEvent> events_above(ConvId conv, Rev above, int limit) override {
    return use().events_above(conv, above, limit);
  }
  // In short waits, so that an interrupt is noticed.
  std::vector<Change> wait(std::chrono::milliseconds) override { return use().wait(std::chrono::milliseconds(10)); }
  void add_user(std::string_view name) override { use().add_user(name); }
  std::vector<UserRow> list_users(std::string_view after, int limit) override { return use().list_users(after, limit); }
  std::string create_group(std::string_view title, std::string_view owner, std::span<const std::string> members,
                           TimeMs now) override {
    return use().create_group(title, owner, members, now);
  }
  std::optional<ConversationState> find_conversation(std::string_view name) override {
    return use().find_conversation(name);
  }
  std::vector<ConversationRow> list_conversations(std::string_view after, int limit) override {
    return use().list_conversations(after, limit);
  }
  void add_member(std::string_view conv, std::string_view user, Role role, std::string_view by, TimeMs now) override {
    use().add_member(conv, user, role, by, now);
  }
  void remove_member(std::string_view conv, std::string_view user, std::string_view by, TimeMs now) override {
    use().remove_member(conv, user, by, now);
  }
  std::vector<DeviceRow> devices(std::string_view user, std::string_view device) override {
    return use().devices(user, device);
  }
  DeviceRow set_device(std::string_view user, std::string_view device, const DeviceSettings& settings) override {
    return use().set_device(user, device, settings);
  }
  StoreStatus status() override { return use().status(); }
  void interrupt() noexcept override { interrupted_.store(true); }

 private:
  MemoryStore& use() {
    if (interrupted_.load()) throw StoreUnavailable("interrupted");
    return store_;
  }
  MemoryStore& store_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace chat::test
