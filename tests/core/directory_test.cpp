// Who is here.
#include "plugin/core/directory.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace chat {
namespace {

// Connections come and go, client ids are taken over, and the broker uses the memory of those that left again.
TEST(DirectoryTest, FindsASessionByItsConnectionAndItsClientIdTogetherOnly) {
  auto random = test::generator("directory");
  Directory directory;
  const std::vector<char> memory(40);
  std::map<std::string, const void*> twin;  // by client id: the connection that has it
  const auto any_handle = [&]() -> const void* { return &memory[random() % memory.size()]; };
  const auto any_device = [&] { return "device" + std::to_string(random() % 30); };
  int found = 0;
  for (int i = 0; i < 50'000; ++i) {
    const auto* handle = any_handle();
    const auto device = any_device();
    const auto known = twin.find(device);
    switch (random() % 8) {
      case 0: {
        const auto& session = directory.touch({.handle = handle, .device = device, .user = "alice"}, [](Session&) {});
        ASSERT_EQ(session.handle, handle);
        twin[device] = handle;
        break;
      }
      case 1:
        if (auto* session = directory.find_device(device); random() % 4 == 0 && session != nullptr) {
          directory.erase(*session);
          twin.erase(device);
        }
        break;
      default: {
        const auto* asked = known != twin.end() && random() % 2 == 0 ? known->second : handle;
        const bool here = known != twin.end() && known->second == asked;
        const auto* session = directory.find(asked, device);
        ASSERT_EQ(session != nullptr, here) << device;
        if (session == nullptr) break;
        ASSERT_EQ(session->device, device);
        ASSERT_EQ(session->handle, asked);
        ++found;
      }
    }
    ASSERT_EQ(directory.session_count(), twin.size());
  }
  EXPECT_GT(found, 1000);
}

}  // namespace
}  // namespace chat
