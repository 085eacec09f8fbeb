#include "tests/tidy/bans.h"

#include <regex>

namespace chat::test {
namespace {

bool product(const SourceFile& file) {
  return file.is_cpp() &&
         (file.under("plugin") || file.under("bridge") || file.under("storage") || file.under("chatctl"));
}

// The rules' own texts would find themselves.
bool but_the_rules(const SourceFile& file) {
  return !file.under("tests/tidy") && file.path != "tools/dev/lint.sh";
}

bool any_cpp(const SourceFile& file) {
  return file.is_cpp() && but_the_rules(file);
}

}  // namespace

const std::vector<Ban>& bans() {
  static const std::vector<Ban> all = {
      {.name = "TheBrokersFunctionsAreCalledInOneFolder",
       .pattern = R"(\bmosquitto_\w+ *\(|# *include *<mosquitto)",
       .where = [](const SourceFile& file) { return product(file) && !file.under("plugin/broker"); },
       .instead = "plugin/broker/ calls the broker, on the broker's thread; other code takes and gives values",
       .offence = "  mosquitto_log_printf(MOSQ_LOG_INFO, \"x\");",
       .innocent = "  log(\"mosquitto_chat\");"},
      {.name = "TheMqttLibraryIsUsedInOneFolder",
       .pattern = R"(\bmqtt::|# *include *<mqtt/|# *include *<MQTT)",
       .where = [](const SourceFile& file) { return product(file) && !file.under("bridge/mqtt"); },
       .instead = "Incoming and Outgoing of bridge/rpc/message.h",
       .offence = "#include <mqtt/async_client.h>",
       .innocent = "#include \"bridge/mqtt/broker_link.h\""},
      {.name = "TheDatabaseLibraryIsUsedInOneFolder",
       .pattern = R"(\bpqxx::|# *include *<pqxx|# *include *<libpq)",
       .where = [](const SourceFile& file) { return product(file) && !file.under("storage/postgres"); },
       .instead = "the interfaces of storage/store.h",
       .offence = "  pqxx::work work(connection);",
       .innocent = "  store.commit(batch);"},
      {.name = "TheRedisLibraryIsUsedInOneFolder",
       .pattern = R"(\bredis(Connect|Command|AppendCommand|GetReply)\w* *\(|# *include *<hiredis)",
       .where = [](const SourceFile& file) { return product(file) && !file.under("storage/redis"); },
       .instead = "storage/redis/redis.h, which never throws for a Redis that is away",
       .offence = "#include <hiredis/hiredis.h>",
       .innocent = "#include \"storage/redis/redis.h\""},
      {.name = "TestsWaitForConditions",
       .pattern = R"(\b(sleep_for|sleep_until|usleep|nanosleep) *\(|(^|[^\w.>])sleep *\()",
       .where =
           [](const SourceFile& file) { return any_cpp(file) && file.under("tests") && !file.under("tests/support"); },
       .instead = "eventually() of tests/support/wait.h, or a client's expect()",
       .offence = "  std::this_thread::sleep_for(10ms);",
       .innocent = "  worker.sleep(hours(1));  client.expect(\"the answer\", wanted);"},
      {.name = "TheBridgeSpeaksThroughItsLog",
       .pattern = R"(std::(cout|cerr|clog)\b|\b(printf|fprintf|puts|fputs|perror) *\()",
       .where = [](const SourceFile& file) { return file.is_cpp() && file.under("bridge"); },
       .instead = "spdlog",
       .offence = "  std::cerr << error.what();",
       .innocent = "  spdlog::error(\"{}\", error.what());"},
      {.name = "NamesKeepTheirNamespace",
       .pattern = R"(\busing +namespace +std *(;|::(?!\w*literals)))",
       .where = any_cpp,
       .instead = "std:: before the name, or a using declaration of the one name",
       .offence = "using namespace std::chrono;",
       .innocent = "using namespace std::string_literals;  using std::chrono::milliseconds;"},
      {.name = "NothingIsPutOffInAComment",
       .pattern = R"(\b(TO)(DO)\b|\b(FIX)(ME)\b|\bX{3}\b)",
       .where = but_the_rules,
       .instead = "do it, or say it under Limitations where users read it",
       .offence = std::string("// TO") + "DO: later",
       .innocent = "// what is still to do",
       .in_comments = true},
      {.name = "NoFileKnowsWhoseMachineItWasWrittenOn",
       .pattern = R"((^|[^\w.$}~])/(work|home|Users)/)",
       .where = but_the_rules,
       .instead = "a path relative to the repository, or one that the build fills in",
       .offence = std::string("root=/ho") + "me/alice/chat",
       .innocent = "https://example.org/home/x",
       .in_comments = true},
      {.name = "IncludesStartAtTheRoot",
       .pattern = R"(# *include *"(\.\./|[^/"]+"))",
       .where = any_cpp,
       .instead = "\"folder/file.h\" as seen from the repository's root",
       .offence = "#include \"../names.h\"",
       .innocent = "#include \"storage/names.h\""},
      {.name = "TabsDoNotIndent",
       .pattern = "^\t| \t",
       .where = any_cpp,
       .instead = "two spaces; clang-format does it",
       .offence = "\treturn 0;",
       .innocent = "  return 0;"},
  };
  return all;
}

std::vector<std::string> offences(const Ban& ban, const std::vector<SourceFile>& files) {
  const std::regex pattern(ban.pattern, std::regex::ECMAScript | std::regex::optimize);
  std::vector<std::string> found;
  for (const auto& file : files) {
    if (!ban.where(file)) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      if (line.size() > 2000) continue;  // no hand wrote it, and std::regex recurses by length
      if (std::regex_search(ban.in_comments ? line : without_comment(line), pattern)) {
        found.push_back(file.path + ":" + std::to_string(i + 1) + ": " + line);
      }
    }
  }
  return found;
}

}  // namespace chat::test
