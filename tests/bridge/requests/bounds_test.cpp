// Bounds hold where two bridges, or one that was asked twice, bring people into groups at the same moment.
#include <atomic>
#include <thread>

#include "storage/errors.h"
#include "tests/bridge/requests/request_suite.h"

namespace chat::test {
namespace {

class Bounds : public RequestSuite {
 protected:
  // Carries out `work` in the user's name as often as `tries`, from two bridges at once; answers how often it was
  // refused as not_allowed.
  int at_once(int tries, const std::string& user, const std::function<void(RequestChanges&, int number)>& work) {
    const auto other = open_request_store(uri(), "the other bridge");
    std::atomic<int> refusals = 0;
    const auto run = [&](RequestStore& store, int first) {
      for (int i = first; i < tries; i += 2) {
        const auto id = "at-once-" + std::to_string(++ids_) + "-" + std::to_string(i);
        try {
          store.once({user, id, "a change", "{}", now_}, [&](RequestChanges& changes) {
            work(changes, i);
            return std::string("{}");
          });
        } catch (const StoreRefused& refusal) {
          if (refusal.code() == "not_allowed") ++refusals;
        }
      }
    };
    std::jthread there([&] { run(*other, 1); });  // joins, whatever run() throws
    run(requests(), 0);
    there.join();
    return refusals;
  }

 private:
  std::atomic<int> ids_ = 0;
};

TEST_F(Bounds, NobodyIsInMoreGroupsThanTheBoundAlsoWhereTwoBringThemInAtOnce) {
  add_users({"bob", "carol", "dave"});
  const GroupBounds bounds{.members = 10, .groups = 12};
  // The users in both orders: whoever locks one of them first waits for nobody who has locked another.
  EXPECT_EQ(at_once(40, "alice",
                    [&](RequestChanges& changes, int number) {
                      NewGroup group;
                      group.members = number % 2 == 0 ? std::vector<std::string>{"bob", "carol"}
                                                      : std::vector<std::string>{"carol", "bob"};
                      changes.create_group(group, bounds);
                    }),
            28);
  EXPECT_EQ(number("SELECT count(*) FROM members WHERE user_name = 'carol'"), 12);
  EXPECT_EQ(number("SELECT count(*) FROM conversations"), 12) << "a refusal leaves nothing behind";
}

TEST_F(Bounds, AGroupGrowsToItsBoundAlsoWhereTwoAddMembersAtOnce) {
  std::vector<std::string> names;
  for (int i = 0; i < 30; ++i) names.push_back("user-" + std::to_string(i));
  add_users(names);
  const auto conv = group({"alice"});
  EXPECT_EQ(at_once(30, "alice",
                    [&](RequestChanges& changes, int number) {
                      const std::string& one = names[static_cast<std::size_t>(number)];
                      changes.add_members(conv, std::span(&one, 1), {.members = 20, .groups = 12});
                    }),
            11);
  EXPECT_EQ(number("SELECT count(*) FROM members WHERE conv_id = " + std::to_string(id_of(conv))), 20);
}

}  // namespace
}  // namespace chat::test
