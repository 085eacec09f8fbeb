// Tests that run on both stores: what the contract of storage/store.h says is said of each of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "storage/store.h"

namespace chat::test {

enum class Kind { kMemory, kPostgres };

inline constexpr Uuid kJournal{0xaa, 0xbb};  // of whom the batches are that tests commit

class BothStores : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override;

  Store& store() { return *store_; }
  // Users `names`, and a group of them, the first of whom owns it.
  ConversationState group(std::initializer_list<std::string> names);
  ConversationState load(const std::string& conv) { return store_->load_conversation(conv, {}).value(); }
  Member member(const std::string& conv, const std::string& user);
  // Commits at the end of what was committed before.
  CommitResult commit(Batch batch);

  const TimeMs now_ = 1'750'000'000'000;  // 2025-06-15

 private:
  std::unique_ptr<Store> store_;
  Position position_ = 0;
};

std::string name_of(const testing::TestParamInfo<Kind>& info);

// A message that carries an id, unless `id` is empty.
StoredMessage message(const ConversationState& conv, Seq seq, const std::string& sender, TimeMs time,
                      const std::string& id = {});

// The code of the StoreRefused that `call` throws, and its sentence; "" where it throws none.
struct Refusal {
  std::string code;
  std::string sentence;
};
template <typename Call>
Refusal refusal(Call call) {
  try {
    call();
  } catch (const StoreRefused& refused) {
    return {refused.code(), refused.what()};
  }
  return {};
}

}  // namespace chat::test

#define CHAT_ON_BOTH_STORES(Suite)                                                                             \
  INSTANTIATE_TEST_SUITE_P(On, Suite, testing::Values(chat::test::Kind::kMemory, chat::test::Kind::kPostgres), \
                           chat::test::name_of)
