// How long a client waits for what the bridge does, while others chat at a steady rate: a recall until another device
// has its event, a message until the receiver's unread count says so, and the first page of a long list of
// conversations. Everything is real and of its own: PostgreSQL, Redis, broker, bridge. Prints one line a figure, times
// in milliseconds.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/commanding.h"
#include "tests/support/database.h"
#include "tests/support/requesting.h"
#include "tests/support/seed.h"
#include "tests/support/stack.h"
#include "tests/support/wait.h"

namespace {

using namespace chat::test;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

struct Settings {
  int rate = 1000;  // messages a second in the background
  int samples = 300;
  int lists = 200;  // requests for each length of a list
};

double since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

void report(const std::string& what, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) { return times[static_cast<std::size_t>(share * double(times.size() - 1))]; };
  std::cout << what << ": " << times.size() << " times, p50 " << at(0.5) << ", p99 " << at(0.99) << ", most "
            << times.back() << std::endl;
}

// Four conversations of two, in which one sends and the other receives and acknowledges.
class Background {
 public:
  Background(Stack& stack, int rate) : rate_(rate) {
    const auto users = stack.new_users(8);
    for (std::size_t i = 0; i < 4; ++i) {
      convs_.push_back(stack.new_group(users[i], {users[i + 4]}));
      senders_.push_back(
          std::make_unique<ChatClient>(stack.port(), users[i], DeviceOptions{.no_delay = true, .subscribe = false}));
      receivers_.push_back(
          std::make_unique<ChatClient>(stack.port(), users[i + 4], DeviceOptions{.acknowledge_every = 20}));
      senders_.back()->connect();
      receivers_.back()->connect();
    }
    if (rate > 0) thread_ = std::thread([this] { run(); });
  }
  ~Background() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }
  double sent_per_second() const { return double(sent_) / (since(began_) / 1000); }

 private:
  void run() {
    auto next = Clock::now();
    for (; !ending_; ++sent_) {
      next += std::chrono::nanoseconds(1'000'000'000 / rate_);
      std::this_thread::sleep_until(next);
      const auto lane = sent_ % 4;
      senders_[lane]->mqtt().publish_async(message_topic(convs_[lane]),
                                           text(senders_[lane]->new_id(), std::string(100, 'x')).dump(), nullptr);
      if (sent_ % 1000 == 0) {
        for (auto& receiver : receivers_) receiver->mqtt().forget();
      }
    }
  }

  const int rate_;
  std::vector<std::string> convs_;
  std::vector<std::unique_ptr<ChatClient>> senders_;
  std::vector<std::unique_ptr<ChatClient>> receivers_;
  std::atomic<bool> ending_{false};
  std::atomic<std::uint64_t> sent_{0};
  const Clock::time_point began_ = Clock::now();
  std::thread thread_;
};

void measure_recalls(ChatClient& alice, ChatClient& bob, const std::string& conv, int samples) {
  std::vector<double> times;
  for (int i = 0; i < samples; ++i) {
    bob.mqtt().forget();
    alice.mqtt().forget();
    const auto seq = alice.sent(alice.send(conv, "said too early")).at("seq").get<std::int64_t>();
    bob.message(conv, seq);
    const auto begin = Clock::now();
    give_command(alice, conv, "recall", seq);
    event_about(bob, "message.recalled", conv, seq);
    times.push_back(since(begin));
    bob.acknowledge_all();
  }
  report("recall until the other device has its event", times);
}

// Changes come at random, closer together and further apart than counts are gathered.
void measure_unread(ChatClient& alice, ChatClient& bob, const std::string& conv, int samples) {
  auto chance = generator("pauses");
  std::uniform_int_distribution<int> pause(10, 400);
  bob.mqtt().publish("chat/c/" + conv + "/read", json{{"seq", alice.sent(alice.send(conv, "last")).at("seq")}});
  std::vector<double> times;
  eventually("nothing unread", [&] { return request(bob, "unread.get", {{"conv", conv}}).at("unread") == 0; });
  // Until that is told, too: a count that falls and rises again between two pushes is no news.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  std::int64_t unread = 0;
  for (int i = 0; i < samples; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(pause(chance)));
    bob.mqtt().forget();
    const auto begin = Clock::now();
    alice.send(conv, "one more");
    ++unread;
    bob.mqtt().expect("unread " + std::to_string(unread), [&](const Message& message) {
      if (message.topic != bob.own("unread")) return false;
      const auto& rows = message.json.at("conversations");
      return std::any_of(rows.begin(), rows.end(),
                         [&](const json& row) { return row.at("conv") == conv && row.at("unread") >= unread; });
    });
    times.push_back(since(begin));
    bob.acknowledge_all();
  }
  report("message until the receiver's unread count is pushed", times);
}

// A user who has always been in so many, half of them with something unread.
std::string user_in(Stack& stack, int conversations) {
  const auto user = stack.new_user();
  Database database(stack.pg());
  const auto name = database.quote(user);
  database.query("INSERT INTO users (name, created_at) VALUES (" + name + ", 0) ON CONFLICT DO NOTHING");
  database.query("SELECT chat_make_month(chat_now())");
  database.query(
      "WITH made AS (INSERT INTO conversations (name, kind, title, last_seq, last_time, created_at, changed_at) "
      "SELECT 'g:" +
      user + "x' || n, 1, 'number ' || n, 1, chat_now() - n, 0, 0 FROM generate_series(1, " +
      std::to_string(conversations) +
      ") AS n RETURNING id, last_time), "
      "seated AS (INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at, read_seq) "
      "SELECT id, " +
      name +
      ", 1, 1, 0, id % 2 FROM made) "
      "INSERT INTO messages (conv_id, seq, server_time, mid, type, sender, payload) "
      R"(SELECT id, 1, last_time, gen_random_uuid(), 0, 'somebody', '{"body":"hello"}' FROM made)");
  database.query("ANALYZE conversations; ANALYZE members; ANALYZE messages");
  return user;
}

void measure_list(Stack& stack, const std::string& user, const std::string& what, int requests) {
  ChatClient client(stack.port(), user, DeviceOptions{.no_delay = true, .subscribe = false});
  client.connect();
  client.mqtt().subscribe(client.own("reply/#"));
  std::vector<double> times;
  for (int i = 0; i < requests; ++i) {
    client.mqtt().forget();
    const auto begin = Clock::now();
    const auto answer = request(client, "conversation.list", {{"limit", 100}});
    times.push_back(since(begin));
    if (answer.value("conversations", json::array()).size() != 100) throw std::runtime_error(answer.dump());
  }
  report("first 100 of " + what, times);
}

// What was sent is made searchable for a while after it has stopped, by a bridge and a PostgreSQL that share the
// machine with what is measured next.
void await_calm(Stack& stack) {
  Database database(stack.pg());
  eventually(
      "everything to be searchable",
      [&] {
        return database.number(
                   "SELECT count(*) FROM conversations c LEFT JOIN search_progress p ON p.conv_id = c.id "
                   "WHERE c.last_seq > coalesce(p.seq, 0)") == 0;
      },
      std::chrono::minutes(10));
}

// Subscribes and waits for the total, as an app does when it comes back.
void measure_total(Stack& stack, const std::string& user, const std::string& what, int requests) {
  ChatClient client(stack.port(), user, DeviceOptions{.no_delay = true, .subscribe = false});
  client.connect();
  const auto topic = client.own("unread/total");
  std::vector<double> times;
  for (int i = 0; i < requests; ++i) {
    client.mqtt().forget();
    const auto begin = Clock::now();
    client.mqtt().subscribe(topic);
    client.mqtt().expect("the total", [&](const Message& message) { return message.topic == topic; });
    times.push_back(since(begin));
    client.mqtt().unsubscribe(topic);
    std::this_thread::sleep_for(std::chrono::milliseconds(250));  // else it is told with the one before
  }
  report("SUBSCRIBE until the unread total of " + what, times);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("How long what the bridge does takes.", "bridge_bench");
  app.option_defaults()->always_capture_default();
  app.add_option("--rate", settings.rate, "Messages a second in the background")->check(CLI::Range(0, 100'000));
  app.add_option("--samples", settings.samples, "Recalls, and messages")->check(CLI::Range(10, 100'000));
  app.add_option("--lists", settings.lists, "Requests for each list")->check(CLI::Range(10, 100'000));
  CLI11_PARSE(app, argc, argv);
  try {
    Stack stack;
    const auto users = stack.new_users(2);
    const auto conv = stack.new_group(users[0], {users[1]});
    ChatClient alice(stack.port(), users[0], {.no_delay = true});
    ChatClient bob(stack.port(), users[1], {.no_delay = true});
    alice.connect();
    bob.connect();
    bob.sync("end");
    {
      const Background background(stack, settings.rate);
      measure_recalls(alice, bob, conv, settings.samples);
      measure_unread(alice, bob, conv, settings.samples);
      std::cout << "in the background: " << background.sent_per_second() << " messages a second" << std::endl;
    }
    const auto some = user_in(stack, 1000);
    const auto many = user_in(stack, 10'000);
    await_calm(stack);
    for (const auto* redis : {"", ", without Redis"}) {
      if (*redis != '\0') stack.kill("redis");
      measure_list(stack, some, std::string("1000 conversations") + redis, settings.lists);
      measure_list(stack, many, std::string("10000 conversations") + redis, settings.lists);
      measure_total(stack, many, std::string("10000 conversations") + redis, settings.lists / 4);
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
