#include "tests/storage/both_stores.h"

#include "storage/memory/memory_store.h"
#include "tests/storage/private_postgres.h"

namespace chat::test {

void BothStores::SetUp() {
  if (GetParam() == Kind::kMemory) {
    store_ = std::make_unique<MemoryStore>();
  } else {
    store_ = open_postgres(PrivatePostgres::shared().migrated_database(), "storage_test");
  }
}

ConversationState BothStores::group(std::initializer_list<std::string> names) {
  for (const auto& name : names) store_->load_user(name, 0, true);
  const std::vector<std::string> members(names.begin(), names.end());
  return load(store_->create_group("", members.front(), members, now_));
}

Member BothStores::member(const std::string& conv, const std::string& user) {
  for (const auto& member : load(conv).members) {
    if (member.user == user) return member;
  }
  throw std::runtime_error(user + " is not in " + conv);
}

CommitResult BothStores::commit(Batch batch) {
  batch.journal = {1, 2, 3};
  batch.from = position_;
  batch.to = position_ + 100;
  const auto result = store_->commit(batch);
  position_ = batch.to;
  return result;
}

std::string name_of(const testing::TestParamInfo<Kind>& info) {
  return info.param == Kind::kMemory ? "Memory" : "Postgres";
}

StoredMessage message(const ConversationState& conv, Seq seq, const std::string& sender, TimeMs time,
                      const std::string& id) {
  StoredMessage message;
  message.conv_id = conv.id;
  message.conv = conv.name;
  message.seq = seq;
  message.server_time = time;
  message.sender = sender;
  message.id = id;
  message.mid = {0x01, 0x97, static_cast<std::uint8_t>(seq >> 8), static_cast<std::uint8_t>(seq), 0x70};
  message.payload = R"({"body":"message )" + std::to_string(seq) + "\"}";
  return message;
}

}  // namespace chat::test
