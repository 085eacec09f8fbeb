// What requests read: the bodies of RequestStore, each on an open session. The contract is storage/requests.h's.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/postgres/session.h"
#include "storage/request_values.h"

namespace chat {

// Within the caller's transaction too: a seat that a change looks at first.
std::vector<Seat> read_seats(PostgresSession& session, pqxx::transaction_base& transaction,
                             std::span<const std::string> convs, const std::string& user);
Seat read_seat(PostgresSession& session, pqxx::transaction_base& transaction, const std::string& conv,
               const std::string& user);

ConversationView read_view(PostgresSession& session, const std::string& conv, const std::string& user, TimeMs now);
std::vector<ConversationView> read_overview_of(PostgresSession& session, const std::string& user,
                                               std::span<const ConvId> convs, TimeMs now);
ConversationPage read_overview(PostgresSession& session, const std::string& user,
                               const std::optional<ListPlace>& behind, int limit, TimeMs now);
UnreadPage read_unread(PostgresSession& session, const std::string& user, ConvId behind, int limit, TimeMs now);
std::vector<MemberRow> read_members(PostgresSession& session, ConvId conv, const std::string& behind, int limit);

MessagePage read_messages(PostgresSession& session, const std::string& user, std::span<const SeqRange> ranges,
                          bool newest, int limit, std::size_t bytes_max, TimeMs now);
EventPage read_events(PostgresSession& session, const std::string& user, std::span<const RevWant> wants, int limit);
std::vector<ReactionRow> read_reactions(PostgresSession& session, ConvId conv, std::span<const Seq> seqs);
SearchPage read_search(PostgresSession& session, const std::string& user, const SearchWanted& wanted, int limit,
                       std::size_t bytes_max, TimeMs now);
ReceiptPage read_receipts(PostgresSession& session, const std::string& conv, const std::string& user, Seq seq,
                          const std::string& behind, int limit);

std::vector<ContactRow> read_contacts(PostgresSession& session, const std::string& user,
                                      const std::optional<ContactState>& only, const std::string& behind, int limit);

std::vector<DeviceRow> read_own_devices(PostgresSession& session, const std::string& user, const std::string& behind,
                                        int limit);
std::vector<Profile> read_profiles(PostgresSession& session, std::span<const std::string> users);

}  // namespace chat
