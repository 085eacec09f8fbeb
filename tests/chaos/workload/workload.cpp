#include "tests/chaos/workload/workload.h"

#include <array>
#include <utility>

#include "tests/support/commanding.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

constexpr std::chrono::milliseconds kPulse{50};

Society make_society(Stack& stack, const WorkloadOptions& options) {
  auto chance = generator("society");
  return Society::make(stack, (options.clients + 1) / 2, options.rooms, options.largest_room, chance);
}

// Every combination comes up among a dozen clients.
ClientKind kind_of(int n, const Society& society, Stack& stack, int proxied) {
  ClientKind kind;
  kind.user = society.users[static_cast<std::size_t>(n / 2)];
  kind.number = n % 2;
  kind.websocket = n % 5 == 4;
  kind.mqtt5 = n % 2 == 0 || n % 3 == 0;
  kind.clean = n % 4 != 1;
  kind.port = stack.port();
  if (n % 3 == 2 && !kind.websocket) kind.port = proxied;
  if (kind.websocket) kind.port = std::stoi(stack.value("CHAT_WS_PORT"));
  return kind;
}

}  // namespace

Workload::Workload(Stack& stack, const WorkloadOptions& options, int proxied, OperationsFile& log)
    : stack_(stack), log_(log), society_(make_society(stack, options)), witness_(stack.pg(), log) {
  for (int n = 0; n < options.clients; ++n) {
    clients_.push_back(
        std::make_unique<ChaosClient>(kind_of(n, society_, stack, proxied), society_, log, witness_, options.pace));
  }
}

Workload::~Workload() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (pulse_.joinable()) pulse_.join();
}

void Workload::start() {
  for (auto& client : clients_) client->start();
  pulse_ = std::thread([this] { pulse(); });
}

void Workload::settle(std::chrono::seconds patience) {
  std::vector<std::thread> enders;
  for (auto& client : clients_) enders.emplace_back([one = client.get()] { one->finish(); });
  for (auto& thread : enders) thread.join();
  Database database(stack_.pg());
  // What is behind everything else in the journal is stored behind everything else.
  ChatClient last(stack_.port(), society_.users[0], {.device = "last", .acknowledge_every = 50});
  last.connect();
  for (const auto& room : society_.rooms) {
    if (room.owner == last.user()) {
      last.sent(last.send(room.conv, "the last"));
      break;
    }
  }
  eventually(
      "every command to be applied", [&] { return commands_waiting(database) == 0; }, patience);
  for (auto& client : clients_) client->listen();
  std::string lacks;
  const auto all_there = [&] {
    for (const auto& room : society_.rooms) {
      const auto end = database.number("SELECT coalesce(max(last_seq), 0) FROM conversations WHERE name = " +
                                       database.quote(room.conv));
      for (const auto& client : clients_) {
        const auto& user = client->kind().user;
        const bool member = std::find(room.members.begin(), room.members.end(), user) != room.members.end();
        if (!member || !room.settled(user) || client->highest(room.conv) >= end) continue;
        lacks = client->kind().device() + " has " + std::to_string(client->highest(room.conv)) + " of " +
                std::to_string(end) + " messages of " + room.conv;
        return false;
      }
    }
    return true;
  };
  try {
    eventually("each device to have everything", all_there, patience);
  } catch (const TimedOut& late) {
    throw TimedOut(std::string(late.what()) + ": " + lacks);
  }
  log_.flush();
}

void Workload::pulse() {
  std::unique_ptr<MqttClient> client;
  for (;;) {
    try {
      if (!client) {
        client =
            std::make_unique<MqttClient>(stack_.port(), ClientOptions{.client_id = "pulse", .user = society_.users[0]});
        client->connect();
      }
      const auto before = log_.now();
      client->publish("pulse/beat", std::string("?"));
      log_.add({.did = Did::kPause, .device = "pulse", .code = (log_.now() - before).count()});
    } catch (const std::exception&) {
      client.reset();  // the broker is away
    }
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kPulse, [this] { return ending_; })) return;
  }
}

}  // namespace chat::test
