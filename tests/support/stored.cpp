#include "tests/support/stored.h"

#include <map>
#include <set>
#include <utility>

#include "tests/support/wait.h"

namespace chat::test {
namespace {

std::string of_conversation(Database& database, const std::string& conv) {
  return " FROM messages m JOIN conversations c ON c.id = m.conv_id WHERE c.name = " + database.quote(conv);
}

std::set<std::string> ids(const std::vector<nlohmann::json>& entries) {
  std::set<std::string> all;
  for (const auto& entry : entries) {
    if (entry.contains("id") && entry["id"].is_string()) all.insert(entry["id"].get<std::string>());
  }
  return all;
}

}  // namespace

std::vector<StoredRow> stored_messages(Database& database, const std::string& conv) {
  std::vector<StoredRow> rows;
  for (auto& row : database.query("SELECT m.seq, m.server_time, m.sender, m.id, m.payload" +
                                  of_conversation(database, conv) + " ORDER BY m.seq")) {
    rows.push_back(
        {conv, std::stoll(row[0]), std::stoll(row[1]), std::move(row[2]), std::move(row[3]), std::move(row[4])});
  }
  return rows;
}

std::int64_t stored_count(Database& database, const std::string& conv) {
  return database.number("SELECT count(*)" + of_conversation(database, conv));
}

std::int64_t stored_delivered(Database& database, const std::string& conv, const std::string& user,
                              const std::string& device) {
  return database.number(
      "SELECT coalesce(max(d.delivered_seq), -1) FROM device_cursors d JOIN conversations c ON c.id = d.conv_id"
      " WHERE c.name = " +
      database.quote(conv) + " AND d.user_name = " + database.quote(user) +
      " AND d.device = " + database.quote(device));
}

std::int64_t stored_read(Database& database, const std::string& conv, const std::string& user) {
  return database.number(
      "SELECT coalesce(max(m.read_seq), -1) FROM members m JOIN conversations c ON c.id = m.conv_id"
      " WHERE c.name = " +
      database.quote(conv) + " AND m.user_name = " + database.quote(user));
}

void expect_stored(Database& database, const std::string& conv, std::int64_t count) {
  eventually(std::to_string(count) + " stored messages of " + conv,
             [&] { return stored_count(database, conv) >= count; });
}

std::vector<std::string> problems(const OperationLog& log, const std::vector<StoredRow>& rows) {
  std::vector<std::string> found;
  const auto published = log.entries("published");
  const auto refused = ids(log.entries("refused"));

  std::map<std::string, int> times;
  std::map<std::string, std::int64_t> last_seq;
  std::map<std::string, std::int64_t> last_time;
  for (const auto& row : rows) {
    const auto place = row.conv + " " + std::to_string(row.seq);
    ++times[row.id];
    if (row.seq != last_seq[row.conv] + 1) {
      found.push_back(place + " follows " + std::to_string(last_seq[row.conv]));
    }
    last_seq[row.conv] = row.seq;
    if (row.server_time < last_time[row.conv]) found.push_back("the time falls at " + place);
    last_time[row.conv] = row.server_time;
    if (refused.count(row.id) > 0) found.push_back(row.id + " was refused, and is stored at " + place);
  }
  for (const auto& [id, count] : times) {
    if (count > 1) found.push_back(id + " is stored " + std::to_string(count) + " times");
  }

  const auto known = ids(published);
  for (const auto& [id, count] : times) {
    if (known.count(id) == 0) found.push_back(id + " is stored, and nobody published it");
  }
  for (const auto& id : ids(log.entries("acknowledged"))) {
    if (times.count(id) == 0) found.push_back(id + " was acknowledged, and is not stored");
  }

  // Each sender's messages, in each conversation, in the order of the log.
  std::map<std::string, std::int64_t> order;
  for (std::size_t i = 0; i < published.size(); ++i) {
    order[published[i].at("id").get<std::string>()] = static_cast<std::int64_t>(i);
  }
  std::map<std::pair<std::string, std::string>, std::int64_t> latest;
  for (const auto& row : rows) {
    const auto at = order.find(row.id);
    if (at == order.end()) continue;
    auto& before = latest[{row.conv, row.sender}];
    if (at->second < before) found.push_back(row.id + " is stored behind a later message of its sender");
    before = std::max(before, at->second);
  }
  return found;
}

}  // namespace chat::test
