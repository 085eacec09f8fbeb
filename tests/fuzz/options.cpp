// The plugin's options: lines of "name value", as mosquitto.conf holds them. They are refused in a sentence that names
// the option and no secret, or accepted and within their bounds.
#include "plugin/broker/options.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "plugin/core/topic.h"
#include "storage/names.h"
#include "tests/fuzz/target.h"

namespace chat::fuzz {
namespace {

constexpr std::string_view kSecret = "chat:secret";  // a URI that holds this is not to be shown

GivenOptions given_in(std::string_view bytes) {
  GivenOptions given;
  while (!bytes.empty()) {
    const auto line = take_line(&bytes);
    const auto space = line.find(' ');
    const auto name = line.substr(0, space);
    // Whatever file a URI would be read from: not here.
    if (name == "postgres_uri_file" && line.find("/dev/null/") == std::string_view::npos) continue;
    given.emplace_back(name, space == std::string_view::npos ? std::string_view() : line.substr(space + 1));
  }
  return given;
}

void check_bounds(const Options& options) {
  const auto within = [](auto value, auto least, auto most, std::string_view name) {
    require(static_cast<std::int64_t>(value) >= least && static_cast<std::int64_t>(value) <= most,
            "an option that is accepted is within its bounds", name);
  };
  constexpr std::int64_t kMb = 1 << 20;
  within(options.journal.bytes_max, kMb, 1'048'576 * kMb, "journal_max_mb");
  within(options.journal.segment_bytes, kMb, 1024 * kMb, "journal_segment_mb");
  within(options.journal.interval.count(), 1, 60'000, "journal_sync");
  within(options.hub.message_bytes_max, 256, 1'048'576, "max_message_bytes");
  within(options.hub.outflow.window, 1, 500, "window");
  within(options.hub.outflow.replay_limit, 1, 10'000, "replay_limit");
  within(options.hub.outflow.auto_rate, 1, 100'000, "auto_rate");
  within(options.hub.cache_bytes, kMb, 65'536 * kMb, "cache_mb");
  within(options.hub.tail_bytes, kMb, 65'536 * kMb, "hot_tail_mb");
  within(options.hub.recent_ids, 1, 100'000, "recent_ids");
  within(options.persister.commit_interval_ms, 0, 10'000, "commit_interval_ms");
  within(options.persister.receipt_push_members, 0, 1000, "receipt_push_members");
  within(options.persister.batch_records, 1, 100'000, "batch_messages");
  require(TopicSpace::valid_prefix(options.hub.prefix), "the prefix is one", options.hub.prefix);
  require(valid_user_name(options.hub.bridge_user), "the bridge has a user's name", options.hub.bridge_user);
  require(options.journal.folder.starts_with('/'), "the journal's folder is a whole path", options.journal.folder);
  require(!options.postgres_uri.empty(), "it is known where PostgreSQL is");
}

// The numbers as the table says them, read here once more: the last line of a name counts.
void check_taken(const GivenOptions& given, const Options& options) {
  for (auto option = given.rbegin(); option != given.rend(); ++option) {
    if (option->first != "window") continue;
    const auto& text = option->second;
    const auto first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    int value = 0;
    std::from_chars(text.data() + first, text.data() + text.size(), value);
    require(value == options.hub.outflow.window, "a number that is given is taken", text);
    return;
  }
}

}  // namespace

void options(std::string_view bytes) {
  const auto given = given_in(bytes);
  Options read;
  const auto wrong = read_options(given, &read);
  if (wrong.empty()) {
    check_bounds(read);
    check_taken(given, read);
    return;
  }
  require(wrong.starts_with("plugin_opt_") && wrong.ends_with('.'), "a refusal is a sentence on an option", wrong);
  for (const auto& [name, value] : given) {
    const bool shown = wrong.find(kSecret) != std::string::npos;
    if (name == "postgres_uri" && value.find(kSecret) != std::string::npos && shown) {
      // Perhaps it stands in the option at fault as well.
      const auto elsewhere = [](const auto& other) {
        return other.first.find(kSecret) != std::string::npos ||
               (other.first != "postgres_uri" && other.second.find(kSecret) != std::string::npos);
      };
      require(std::any_of(given.begin(), given.end(), elsewhere), "no URI is shown", wrong);
    }
  }
  const auto named = [&](const auto& option) { return wrong.find(option.first) != std::string::npos; };
  require(wrong.find("postgres_uri") != std::string::npos || std::any_of(given.begin(), given.end(), named),
          "a refusal names the option", wrong);
}

}  // namespace chat::fuzz

CHAT_FUZZ_TARGET(options);
