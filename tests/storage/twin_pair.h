// Two stores that are given the same operations, and how their answers are compared.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/contact.h"
#include "storage/names.h"
#include "storage/store.h"

namespace chat::test {

// A conversation's number in the test stands for its name and its key, which the stores choose themselves.
class Side {
 public:
  // How one user stands to another is set past the store: no operation of it does that.
  using SetContact = std::function<void(const std::string&, const std::string&, std::optional<ContactState>)>;
  Side(Store& wanted, SetContact set) : store(wanted), set_contact(std::move(set)) {}

  Store& store;
  SetContact set_contact;

  void learn(const ConversationState& state);
  int conversations() const { return static_cast<int>(known_.size()); }
  std::string name(int number) const;  // a name that does not exist, for a number that is not known
  ConvId id(int number) const;

  // What was answered, as text in which numbers stand for names and keys.
  std::string text(const std::optional<ConversationState>& state) const;
  std::string text(const std::optional<UserState>& user) const;
  std::string text(const DeviceOpening& opening) const;
  std::string text(const std::vector<StoredMessage>& messages) const;
  std::string text(const std::vector<StoredEvent>& events) const;
  std::string text(const std::vector<UserRow>& users) const;
  std::string text(std::vector<ConversationRow> rows) const;
  std::string text(const DeviceRow& row) const;
  std::string text(const std::vector<DeviceRow>& rows) const;
  std::string text(const StoreStatus& status) const;
  // Any text with the names of groups replaced.
  std::string neutral(std::string text) const;

 private:
  std::string number_of(ConvId id) const;
  std::vector<std::pair<std::string, ConvId>> known_;
  std::map<ConvId, int> numbers_;
};

// A batch whose conversations are numbers.
struct WantedBatch {
  struct Message {
    int conv;
    Seq seq;
    TimeMs time;
    std::string sender;
    std::string id;
    bool rich;  // with mentions, a reply and a time to live
    std::string payload;
  };
  struct Cursor {
    int conv;
    std::string user;
    std::string device;
    Seq delivered;
    Rev rev;
    Seq read;
    TimeMs at;
  };
  Position from = 0;
  Position to = 0;
  std::vector<Message> messages{};
  std::vector<Cursor> cursors{};
  int commands = 0;
};

class TwinPair {
 public:
  TwinPair(Side one, Side other) : one_(std::move(one)), other_(std::move(other)) {}

  int groups() const { return one_.conversations(); }

  // Calls `operation` on both sides and answers how the outcomes differ, or "". What both throw of the store's errors
  // is an outcome as well: its kind, and for a refusal the code and the sentence.
  template <typename Operation>
  std::string both(const std::string& what, Operation operation) {
    return compare(what, outcome(one_, operation), outcome(other_, operation));
  }
  std::string create_group(const std::string& title, const std::string& owner, const std::vector<std::string>& members,
                           TimeMs now);
  // As it is; or, with `terms`, loaded on them.
  std::string conversation(const std::string& name, const std::optional<LoadTerms>& terms);
  // Several are loaded at once; "#3" is the conversation of that number.
  std::string conversations(const std::vector<std::string>& wanted, const LoadTerms& terms);
  std::string commit(const std::string& what, const WantedBatch& batch);

  Seq last_seq(int conversation) const {
    return one_.store.find_conversation(one_.name(conversation)).value().last_seq;
  }
  int count(const std::string& outcome) const;  // how often both answered so
  std::string summary() const;

 private:
  template <typename Operation>
  std::string outcome(Side& side, Operation& operation) {
    try {
      return operation(side);
    } catch (const StoreRefused& refused) {
      return "refused " + refused.code() + ": " + side.neutral(refused.what());
    } catch (const StoreCorrupt&) {
      return "corrupt";
    } catch (const StoreError& error) {
      return std::string("failed: ") + error.what();
    }
  }
  std::string compare(const std::string& what, const std::string& one, const std::string& other);
  std::string learn(const std::string& what, const std::string& one, const std::string& other);

  Side one_;
  Side other_;
  std::map<std::string, int> counts_;
};

}  // namespace chat::test
