// The fixture of tests that share one stack. `Options` is a type with a static StackOptions options():
//
//   struct OrderStack { static StackOptions options() { return {}; } };
//   using Guarantee1Order = StackSuite<OrderStack>;
//   TEST_F(Guarantee1Order, …) { stack().new_user() … }
#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/support/chat_client.h"
#include "tests/support/database.h"
#include "tests/support/stack.h"

namespace chat::test {

template <typename Options>
class StackSuite : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { stack_holder() = std::make_unique<Stack>(Options::options()); }
  static void TearDownTestSuite() { stack_holder().reset(); }

  void TearDown() override {
    if (HasFailure() && stack_holder()) std::cout << stack_holder()->broker_log_tail() << std::flush;
  }

  static Stack& stack() {
    if (!stack_holder()) throw std::runtime_error("the suite's stack did not start");
    return *stack_holder();
  }
  static int port() { return stack().port(); }
  static Database database() { return Database(stack().pg()); }

  // A connected device of that user.
  static std::unique_ptr<ChatClient> device(const std::string& user, DeviceOptions options = {}) {
    auto client = std::make_unique<ChatClient>(port(), user, std::move(options));
    client->connect();
    return client;
  }

 private:
  static std::unique_ptr<Stack>& stack_holder() {
    static std::unique_ptr<Stack> holder;
    return holder;
  }
};

}  // namespace chat::test
