// Clients that are a fault themselves: thousands at once, and one that stops reading.
#include <algorithm>
#include <barrier>
#include <mutex>
#include <thread>

#include "tests/chaos/faults/fault.h"
#include "tests/support/raw_mqtt.h"

namespace chat::test {
namespace {

constexpr int kThreads = 16;
constexpr int kDevicesOfAUser = 50;

// All connect and subscribe, all are cut off in one moment, and all come back at once.
class Storm : public Fault {
 public:
  std::string name() const override { return "storm"; }
  bool stops_broker() const override { return true; }  // it is busy with them

  void inject(World& world) override {
    if (users_.empty()) users_ = world.stack.new_users((world.storm + kDevicesOfAUser - 1) / kDevicesOfAUser);
    std::barrier together(kThreads);
    std::mutex mutex;
    std::string failure;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int round = 0; round < 2; ++round) {
          together.arrive_and_wait();
          std::vector<std::unique_ptr<RawMqtt>> devices;
          try {
            for (int n = t; n < world.storm; n += kThreads) devices.push_back(connected(world, n));
            for (auto& device : devices) device->expect(PacketType::kSuback);
          } catch (const std::exception& error) {
            const std::lock_guard lock(mutex);
            failure = error.what();
          }
          together.arrive_and_wait();
          for (auto& device : devices) device->reset();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    if (!failure.empty()) throw std::runtime_error("of many clients at once one did not get in: " + failure);
  }

 private:
  std::unique_ptr<RawMqtt> connected(const World& world, int n) const {
    const auto& user = users_[static_cast<std::size_t>(n / kDevicesOfAUser)];
    auto device = std::make_unique<RawMqtt>(
        world.stack.port(),
        RawOptions{.client_id = user + "-storm-" + std::to_string(n % kDevicesOfAUser), .user = user});
    if (const int code = device->connect(); code != 0) throw std::runtime_error("CONNACK " + std::to_string(code));
    device->subscribe("chat/u/" + user + "/#", 1, 1);
    return device;
  }

  std::vector<std::string> users_;
};

class Stall : public Fault {
 public:
  std::string name() const override { return "stalled-client"; }

  void inject(World& world) override {
    const auto& user =
        world.society
            .users[std::uniform_int_distribution<std::size_t>(0, world.society.users.size() - 1)(world.chance)];
    RawMqtt client(world.stack.port(),
                   {.client_id = user + "-stalled", .user = user, .protocol = 5, .receive_buffer = 4096});
    if (client.connect() != 0) throw std::runtime_error("the client that is to stop reading did not get in");
    client.subscribe("chat/u/" + user + "/#", 1, 1);
    client.expect(PacketType::kSuback);
    let_pass(std::min(world.freeze, std::chrono::milliseconds(5000)));
    client.reset();
  }
};

}  // namespace

void add_clients(std::vector<std::unique_ptr<Fault>>* faults) {
  faults->push_back(std::make_unique<Storm>());
  faults->push_back(std::make_unique<Stall>());
}

}  // namespace chat::test
