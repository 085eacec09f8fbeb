#include <optional>
#include <utility>

#include "tests/chaos/canary/defects.h"

namespace chat::canary {
namespace {

constexpr int kOften = 20;  // one in so many

// Hands everything on but what the persister commits.
class DefectiveStore : public Store {
 public:
  DefectiveStore(std::string_view defect, std::unique_ptr<Store> real) : defect_(defect), real_(std::move(real)) {}

  CommitResult commit(const Batch& batch) override {
    Batch spoiled = batch;
    if (defect_ == "lose") {
      std::erase_if(spoiled.messages, [this](const auto&) { return now(); });
    } else if (defect_ == "time") {
      for (auto& message : spoiled.messages) message.server_time -= now() ? 60'000 : 0;
    } else if (defect_ == "command") {
      std::erase_if(spoiled.commands, [this](const auto&) { return now(); });
    } else if (defect_ == "cursor") {
      for (auto& cursor : spoiled.cursors) cursor.delivered = 0;
    } else if (defect_ == "read") {
      for (auto& cursor : spoiled.cursors) cursor.read = 0;
    } else if (defect_ == "early") {
      if (auto late = std::exchange(late_, std::move(spoiled))) return real_->commit(*late);
      return CommitResult::kApplied;
    }
    return real_->commit(spoiled);
  }

  std::optional<Position> checkpoint(const Uuid& journal) override { return real_->checkpoint(journal); }
  std::vector<std::optional<ConversationState>> load_conversations(std::span<const std::string> names,
                                                                   const LoadTerms& terms) override {
    return real_->load_conversations(names, terms);
  }
  std::optional<UserState> load_user(std::string_view name, int recent_limit, bool create) override {
    return real_->load_user(name, recent_limit, create);
  }
  DeviceOpening open_device(std::string_view user, std::string_view device) override {
    return real_->open_device(user, device);
  }
  std::optional<Owed> owed_in(std::string_view user, std::string_view device, ConvId conv) override {
    return real_->owed_in(user, device, conv);
  }
  std::vector<StoredMessage> messages_above(std::span<const PageWant> wants, int limit,
                                            std::size_t bytes_max) override {
    return real_->messages_above(wants, limit, bytes_max);
  }
  std::vector<StoredEvent> events_above(ConvId conv, Rev above, int limit) override {
    return real_->events_above(conv, above, limit);
  }
  std::vector<Change> wait(std::chrono::milliseconds timeout) override { return real_->wait(timeout); }
  void add_user(std::string_view name) override { real_->add_user(name); }
  std::vector<UserRow> list_users(std::string_view after, int limit) override {
    return real_->list_users(after, limit);
  }
  std::string create_group(std::string_view title, std::string_view owner, std::span<const std::string> members,
                           TimeMs at) override {
    return real_->create_group(title, owner, members, at);
  }
  std::optional<ConversationState> find_conversation(std::string_view name) override {
    return real_->find_conversation(name);
  }
  std::vector<ConversationRow> list_conversations(std::string_view after, int limit) override {
    return real_->list_conversations(after, limit);
  }
  void add_member(std::string_view conv, std::string_view user, Role role, std::string_view by, TimeMs at) override {
    real_->add_member(conv, user, role, by, at);
  }
  void remove_member(std::string_view conv, std::string_view user, std::string_view by, TimeMs at) override {
    real_->remove_member(conv, user, by, at);
  }
  std::vector<DeviceRow> devices(std::string_view user, std::string_view device) override {
    return real_->devices(user, device);
  }
  DeviceRow set_device(std::string_view user, std::string_view device, const DeviceSettings& settings) override {
    return real_->set_device(user, device, settings);
  }
  StoreStatus status() override { return real_->status(); }
  void interrupt() noexcept override { real_->interrupt(); }

 private:
  bool now() { return ++seen_ % kOften == 0; }

  const std::string defect_;
  const std::unique_ptr<Store> real_;
  int seen_ = 0;
  std::optional<Batch> late_;
};

}  // namespace

std::unique_ptr<Store> defective_store(std::string_view defect, const std::string& uri, std::string_view name) {
  return std::make_unique<DefectiveStore>(defect, open_postgres(uri, name));
}

}  // namespace chat::canary
