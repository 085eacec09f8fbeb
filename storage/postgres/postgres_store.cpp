// The store on PostgreSQL: each call of the interface is one run on the link, with the body in the file of its kind.
#include "storage/postgres/admin.h"
#include "storage/postgres/change_feed.h"
#include "storage/postgres/commit.h"
#include "storage/postgres/conninfo.h"
#include "storage/postgres/link.h"
#include "storage/postgres/opening.h"
#include "storage/postgres/reads.h"
#include "storage/store.h"

namespace chat {
namespace {

class PostgresStore : public Store {
 public:
  explicit PostgresStore(const std::string& conninfo) : link_(conninfo), feed_(conninfo) {}

  std::optional<Position> checkpoint(const Uuid& journal) override {
    return link_.run([&](PostgresSession& s) { return read_checkpoint(s, journal); });
  }
  CommitResult commit(const Batch& batch) override {
    const BatchPlan plan(batch);
    return link_.run([&](PostgresSession& s) { return commit_batch(s, batch, plan); });
  }

  std::vector<std::optional<ConversationState>> load_conversations(std::span<const std::string> names,
                                                                   const LoadTerms& terms) override {
    return link_.run([&](PostgresSession& s) { return read_conversations(s, names, &terms); });
  }
  std::optional<UserState> load_user(std::string_view name, int recent_limit, bool create) override {
    return link_.run([&](PostgresSession& s) { return read_user(s, std::string(name), recent_limit, create); });
  }
  DeviceOpening open_device(std::string_view user, std::string_view device) override {
    return link_.run([&](PostgresSession& s) { return read_opening(s, std::string(user), std::string(device)); });
  }
  std::optional<Owed> owed_in(std::string_view user, std::string_view device, ConvId conv) override {
    return link_.run([&](PostgresSession& s) { return read_owed_in(s, std::string(user), std::string(device), conv); });
  }
  std::vector<StoredMessage> messages_above(std::span<const PageWant> wants, int limit,
                                            std::size_t bytes_max) override {
    return link_.run([&](PostgresSession& s) { return read_messages_above(s, wants, limit, bytes_max); });
  }
  std::vector<StoredEvent> events_above(ConvId conv, Rev above, int limit) override {
    return link_.run([&](PostgresSession& s) { return read_events_above(s, conv, above, limit); });
  }

  std::vector<Change> wait(std::chrono::milliseconds timeout) override { return feed_.wait(timeout); }

  void add_user(std::string_view name) override {
    link_.run([&](PostgresSession& s) { insert_user(s, std::string(name)); });
  }
  std::vector<UserRow> list_users(std::string_view after, int limit) override {
    return link_.run([&](PostgresSession& s) { return read_users(s, std::string(after), limit); });
  }
  std::string create_group(std::string_view title, std::string_view owner, std::span<const std::string> members,
                           TimeMs now) override {
    return link_.run(
        [&](PostgresSession& s) { return insert_group(s, std::string(title), std::string(owner), members, now); });
  }
  std::optional<ConversationState> find_conversation(std::string_view name) override {
    const std::string one(name);
    return std::move(link_.run([&](PostgresSession& s) { return read_conversations(s, {&one, 1}, nullptr); }).front());
  }
  std::vector<ConversationRow> list_conversations(std::string_view after, int limit) override {
    return link_.run([&](PostgresSession& s) { return read_conversations(s, std::string(after), limit); });
  }
  void add_member(std::string_view conv, std::string_view user, Role role, std::string_view by, TimeMs now) override {
    link_.run(
        [&](PostgresSession& s) { put_member(s, std::string(conv), std::string(user), role, std::string(by), now); });
  }
  void remove_member(std::string_view conv, std::string_view user, std::string_view by, TimeMs now) override {
    link_.run(
        [&](PostgresSession& s) { delete_member(s, std::string(conv), std::string(user), std::string(by), now); });
  }
  std::vector<DeviceRow> devices(std::string_view user, std::string_view device) override {
    return link_.run([&](PostgresSession& s) { return read_devices(s, std::string(user), std::string(device)); });
  }
  DeviceRow set_device(std::string_view user, std::string_view device, const DeviceSettings& settings) override {
    return link_.run(
        [&](PostgresSession& s) { return put_device(s, std::string(user), std::string(device), settings); });
  }
  StoreStatus status() override {
    return link_.run([](PostgresSession& s) { return read_status(s); });
  }

  void interrupt() noexcept override {
    link_.interrupt();
    feed_.interrupt();
  }

 private:
  Link link_;
  PostgresChangeFeed feed_;
};

}  // namespace

std::unique_ptr<Store> open_postgres(const std::string& uri, std::string_view application_name) {
  return std::make_unique<PostgresStore>(with_defaults(uri, application_name));
}

}  // namespace chat
