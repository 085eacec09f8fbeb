#include "tests/support/unread_view.h"

#include "tests/support/wait.h"

namespace chat::test {
namespace {

std::int64_t number_of(const std::map<std::string, nlohmann::json>& rows, const std::string& conv, const char* name) {
  const auto found = rows.find(conv);
  return found == rows.end() ? 0 : found->second.at(name).get<std::int64_t>();
}

}  // namespace

std::int64_t UnreadView::unread(const std::string& conv) const {
  return number_of(rows, conv, "unread");
}

std::int64_t UnreadView::mentions(const std::string& conv) const {
  return number_of(rows, conv, "mentions");
}

bool UnreadView::is(std::int64_t expected) const {
  std::int64_t sum = 0;
  for (const auto& [conv, row] : rows) sum += row.at("muted") == true ? 0 : row.at("unread").get<std::int64_t>();
  return total == expected && badge == expected && sum == expected;
}

UnreadView unread_view(ChatClient& client) {
  UnreadView view;
  const auto received = client.mqtt().received();
  for (const auto& message : received) {
    if (message.topic == client.own("unread/total")) view.badge = std::stoll(message.payload);
    if (message.topic != client.own("unread")) continue;
    ++view.digests;
    if (message.json.value("page", 0) == 1) {
      ++view.whole;
      view.rows.clear();
    }
    view.total = message.json.at("total");
    for (const auto& row : message.json.at("conversations")) {
      if (row.at("unread") == 0) {
        view.rows.erase(row.at("conv").get<std::string>());
      } else {
        view.rows[row.at("conv").get<std::string>()] = row;
      }
    }
  }
  return view;
}

void expect_total(ChatClient& client, std::int64_t total) {
  eventually("an unread total of " + std::to_string(total) + " with " + client.user(),
             [&] { return unread_view(client).is(total); });
}

std::int64_t counted_total(Database& database, const std::string& user) {
  return database.number(
      "SELECT count(*) FROM messages t JOIN members m ON m.conv_id = t.conv_id AND m.user_name = " +
      database.quote(user) +
      " WHERE t.seq >= m.join_seq AND t.seq > greatest(m.deleted_to, m.read_seq, m.last_sent_seq) "
      "AND t.sender <> m.user_name AND t.recalled_at IS NULL AND NOT m.muted "
      "AND (t.ttl_s IS NULL OR t.server_time + 1000 * t.ttl_s > chat_now()) "
      "AND NOT EXISTS (SELECT FROM hidden_messages h WHERE h.user_name = m.user_name AND h.conv_id = t.conv_id "
      "AND h.seq = t.seq)");
}

}  // namespace chat::test
