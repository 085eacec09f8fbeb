// mosquitto-chat-bridge: answers requests, applies commands and tells what is new beside the broker. Exit codes:
// options.h.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <exception>

#include "bridge/duty.h"
#include "bridge/handlers/handlers.h"
#include "bridge/leader.h"
#include "bridge/options.h"
#include "bridge/rpc/desk.h"
#include "bridge/shutdown.h"
#include "bridge/standings/opening.h"
#include "bridge/version.h"
#include "bridge/wall_clock.h"
#include "storage/leader_lock.h"
#include "storage/presence.h"
#include "storage/requests.h"

namespace {

constexpr std::chrono::milliseconds kEndPatience{
    900};  // "within a second", with something left for the process's own end

void set_up_log(const chat::Options& options) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("bridge"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(spdlog::level::from_str(options.log_level));
}

chat::ExitCode run(const chat::Options& options) {
  chat::hold_signals();
  set_up_log(options);
  spdlog::info("mosquitto-chat-bridge {} starts as user {} for {}/rpc/#", chat::kVersion, options.user, options.prefix);

  const auto requests = chat::open_request_store(options.postgres, "mosquitto-chat-bridge requests");
  const auto presence = chat::open_postgres_presence(options.postgres, "mosquitto-chat-bridge requests");
  chat::PresenceBoard board;
  chat::StandingLog log;
  const auto standings = chat::open_list_standings(options, log);
  const chat::Registry registry = chat::all_handlers({.now = chat::wall_clock,
                                                      .requests = requests.get(),
                                                      .presence = presence.get(),
                                                      .board = &board,
                                                      .standings = standings.get(),
                                                      .members_max = options.max_members,
                                                      .groups_max = options.max_groups,
                                                      .require_contact = options.require_contact});
  const chat::Desk desk(options.prefix, registry);
  chat::Duty duty(options, desk, board, log);
  chat::Leader leader(
      chat::open_postgres_leader_lock(options.postgres, "mosquitto-chat-bridge-leader"),
      {.lead = [&] { duty.start(); }, .unsure = [&] { duty.pause(); }, .stand_by = [&] { duty.stop(); }});
  leader.start();

  spdlog::info("{} came: stopping", chat::await_signal());
  const bool ended = chat::end_within(kEndPatience, [&leader, &duty, &requests, &presence, &standings] {
    presence->interrupt();
    if (standings) standings->interrupt();
    requests->interrupt();  // a handler that waits for PostgreSQL goes on, and answers `unavailable`
    leader.stop();
    duty.stop();
    if (standings) standings->stop();
  });
  if (!ended) {
    spdlog::warn("something did not stop within {} ms and is left behind", kEndPatience.count());
    spdlog::default_logger()->flush();
    std::_Exit(chat::kEnded);
  }
  return chat::kEnded;
}

}  // namespace

int main(int argc, char** argv) {
  chat::Options options;
  try {
    if (const auto code = chat::parse_options(argc, argv, &options)) return *code;
    return run(options);
  } catch (const std::exception& error) {
    spdlog::critical("{}", error.what());
    return chat::kFailed;
  }
}
