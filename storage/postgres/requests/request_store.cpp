// RequestStore on PostgreSQL: each call is one run on the link, with the body in the file of its kind.
#include "storage/requests.h"

#include "storage/postgres/conninfo.h"
#include "storage/postgres/link.h"
#include "storage/postgres/requests/once.h"
#include "storage/postgres/requests/reading.h"

namespace chat {
namespace {

constexpr int kForgetEvery = 500;  // changes

class PostgresRequestStore : public RequestStore {
 public:
  explicit PostgresRequestStore(const std::string& conninfo) : link_(conninfo) {}

  std::string once(const RequestKey& key, const std::function<std::string(RequestChanges&)>& work) override {
    if (changes_++ % kForgetEvery == 0) link_.run([&](PostgresSession& s) { forget_old_answers(s, key.now); });
    return link_.run([&](PostgresSession& s) { return answer_once(s, key, work); });
  }

  std::vector<Seat> seats(std::span<const std::string> convs, const std::string& user) override {
    return link_.run([&](PostgresSession& s) {
      pqxx::nontransaction transaction(s.connection());
      return read_seats(s, transaction, convs, user);
    });
  }
  ConversationView conversation(const std::string& conv, const std::string& user, TimeMs now) override {
    return link_.run([&](PostgresSession& s) { return read_view(s, conv, user, now); });
  }
  ConversationPage overview(const std::string& user, const std::optional<ListPlace>& behind, int limit,
                            TimeMs now) override {
    return link_.run([&](PostgresSession& s) { return read_overview(s, user, behind, limit, now); });
  }
  std::vector<ConversationView> overview_of(const std::string& user, std::span<const ConvId> convs,
                                            TimeMs now) override {
    return link_.run([&](PostgresSession& s) { return read_overview_of(s, user, convs, now); });
  }
  UnreadPage unread(const std::string& user, ConvId behind, int limit, TimeMs now) override {
    return link_.run([&](PostgresSession& s) { return read_unread(s, user, behind, limit, now); });
  }
  std::vector<MemberRow> members(ConvId conv, const std::string& behind, int limit) override {
    return link_.run([&](PostgresSession& s) { return read_members(s, conv, behind, limit); });
  }
  MessagePage messages(const std::string& user, std::span<const SeqRange> ranges, bool newest, int limit,
                       std::size_t bytes_max, TimeMs now) override {
    return link_.run([&](PostgresSession& s) { return read_messages(s, user, ranges, newest, limit, bytes_max, now); });
  }
  EventPage events(const std::string& user, std::span<const RevWant> wants, int limit) override {
    return link_.run([&](PostgresSession& s) { return read_events(s, user, wants, limit); });
  }
  std::vector<ReactionRow> reactions(ConvId conv, std::span<const Seq> seqs) override {
    return link_.run([&](PostgresSession& s) { return read_reactions(s, conv, seqs); });
  }
  SearchPage search(const std::string& user, const SearchWanted& wanted, int limit, std::size_t bytes_max,
                    TimeMs now) override {
    return link_.run([&](PostgresSession& s) { return read_search(s, user, wanted, limit, bytes_max, now); });
  }
  ReceiptPage receipts(const std::string& conv, const std::string& user, Seq seq, const std::string& behind,
                       int limit) override {
    return link_.run([&](PostgresSession& s) { return read_receipts(s, conv, user, seq, behind, limit); });
  }
  std::vector<ContactRow> contacts(const std::string& user, const std::optional<ContactState>& only,
                                   const std::string& behind, int limit) override {
    return link_.run([&](PostgresSession& s) { return read_contacts(s, user, only, behind, limit); });
  }
  std::vector<DeviceRow> devices(const std::string& user, const std::string& behind, int limit) override {
    return link_.run([&](PostgresSession& s) { return read_own_devices(s, user, behind, limit); });
  }
  std::vector<Profile> profiles(std::span<const std::string> users) override {
    return link_.run([&](PostgresSession& s) { return read_profiles(s, users); });
  }

  void interrupt() noexcept override { link_.interrupt(); }

 private:
  Link link_;
  unsigned changes_ = 0;
};

}  // namespace

std::unique_ptr<RequestStore> open_request_store(const std::string& uri, std::string_view application_name) {
  return std::make_unique<PostgresRequestStore>(with_defaults(uri, application_name));
}

}  // namespace chat
