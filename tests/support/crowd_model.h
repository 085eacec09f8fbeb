// A naive model of conversations: everything that was done, kept in plain maps, and answers computed by counting. It
// knows nothing of cursors gathered, voids or caches: that is what makes it worth comparing with.
//
// The order in which different users do things in one conversation is not known to a test that does them at once. So
// only what comes out the same in any order is done at once; what does not (who is a member) waits until the
// conversation is quiet: see Crowd.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace chat::test {

class CrowdModel {
 public:
  struct Said {
    std::string sender;
    std::string device;  // only this one edits it
    std::string id;
    std::string body;
    std::set<std::string> mentions{};
    std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now();
    bool expires = false;  // within the test
    bool edited = false;
    bool recalled = false;
    std::set<std::string> hidden_by{};
    std::map<std::string, std::set<std::string>> reactions{};  // user -> emojis
  };
  struct Member {
    std::int64_t join = 1;
    std::int64_t read = 0;
    std::int64_t deleted_to = 0;
    std::int64_t last_own = 0;
    bool muted = false;
    bool owner = false;
  };
  struct Count {
    std::int64_t unread = 0;
    std::int64_t mentions = 0;
    bool muted = false;
    bool operator==(const Count&) const = default;
  };

  void join(const std::string& conv, const std::string& user, bool owner = false);
  // Both are members from its first message on, whoever sends it.
  void join_direct(const std::string& conv, const std::string& one, const std::string& other);
  void leave(const std::string& conv, const std::string& user);
  void said(const std::string& conv, std::int64_t seq, Said message);
  void read(const std::string& conv, const std::string& user, std::int64_t seq);
  void recall(const std::string& conv, std::int64_t seq);
  void edit(const std::string& conv, std::int64_t seq, const std::string& body);
  void react(const std::string& conv, std::int64_t seq, const std::string& user, const std::string& emoji, bool on);
  void hide(const std::string& conv, std::int64_t seq, const std::string& user);
  void delete_to(const std::string& conv, const std::string& user, std::int64_t seq);
  void mute(const std::string& conv, const std::string& user, bool muted);

  // Copies: the model goes on.
  std::int64_t last(const std::string& conv) const;
  bool member(const std::string& conv, const std::string& user) const;
  bool owner(const std::string& conv, const std::string& user) const;
  std::vector<std::string> conversations() const;
  std::vector<std::string> conversations_of(const std::string& user) const;
  std::map<std::int64_t, Said> messages(const std::string& conv) const;
  std::map<std::int64_t, Said> visible(const std::string& conv, const std::string& user) const;
  std::map<std::string, Member> members(const std::string& conv) const;

  // At the end, when what expires has expired.
  Count count(const std::string& conv, const std::string& user) const;
  std::int64_t total(const std::string& user) const;  // without muted conversations

 private:
  struct Conversation {
    std::map<std::int64_t, Said> messages;
    std::map<std::string, Member> members;
  };
  Count count_in(const Conversation& conversation, const std::string& user) const;

  mutable std::mutex mutex_;
  std::map<std::string, Conversation> conversations_;
};

}  // namespace chat::test
