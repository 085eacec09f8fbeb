// Who may do what on which topic: the table. permissions_test tries every actor on every place by every operation and
// demands that the broker does what stands here; what no row grants is denied. docs/permissions.md shows the same rows,
// and the test compares them.
//
// How a row is written: place(topic or filter).publish(who)…; an operation that is not named is granted to nobody.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace chat::test::permissions {

// Who tries. All but the anonymous one are users with a right password.
enum class Actor : std::uint8_t {
  kOwner,        // of the group
  kAdmin,        // of the group
  kMember,       // of the group
  kOtherDevice,  // the member's second device
  kBlocked,      // a member of the group, whom the witness has blocked
  kFormer,       // was a member of the group
  kStranger,     // was never one
  kAnonymous,    // connected without a name
  kImpostor,     // a stranger under the bridge's client id: it has not the bridge's user and password
};
inline constexpr std::array kActors{Actor::kOwner,       Actor::kAdmin,     Actor::kMember,
                                    Actor::kOtherDevice, Actor::kBlocked,   Actor::kFormer,
                                    Actor::kStranger,    Actor::kAnonymous, Actor::kImpostor};
std::string_view name(Actor actor);

// What is tried.
enum class Operation : std::uint8_t {
  kPublish,
  kWill,           // as a last will, by a lost connection and by a client id taken over
  kRetain,         // something stays there for later subscribers
  kSubscribe,      // the SUBACK grants it
  kReceive,        // and something comes of it
  kShare,          // $share/{group}/ in front of the filter
  kReceiveShared,  // and something comes of that
};
inline constexpr std::array kOperations{Operation::kPublish,      Operation::kWill,    Operation::kRetain,
                                        Operation::kSubscribe,    Operation::kReceive, Operation::kShare,
                                        Operation::kReceiveShared};
std::string_view name(Operation operation);

// A set of actors.
class Who {
 public:
  constexpr Who() = default;
  constexpr Who(std::initializer_list<Actor> actors) {
    for (const auto actor : actors) bits_ |= bit(actor);
  }
  constexpr bool has(Actor actor) const { return (bits_ & bit(actor)) != 0; }
  constexpr Who without(Actor actor) const {
    Who fewer = *this;
    fewer.bits_ &= static_cast<std::uint16_t>(~bit(actor));
    return fewer;
  }
  constexpr bool operator==(const Who&) const = default;

 private:
  static constexpr std::uint16_t bit(Actor actor) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(actor));
  }
  std::uint16_t bits_ = 0;
};

inline constexpr Who kNobody{};
inline constexpr Who kEveryone{Actor::kOwner,       Actor::kAdmin,     Actor::kMember,
                               Actor::kOtherDevice, Actor::kBlocked,   Actor::kFormer,
                               Actor::kStranger,    Actor::kAnonymous, Actor::kImpostor};
inline constexpr Who kUsers = kEveryone.without(Actor::kAnonymous);
inline constexpr Who kMembers{Actor::kOwner, Actor::kAdmin, Actor::kMember, Actor::kOtherDevice, Actor::kBlocked};
inline constexpr Who kLeaders{Actor::kOwner, Actor::kAdmin};
// Who can get an answer from the bridge: it is away while somebody holds its client id.
inline constexpr Who kServed = kUsers.without(Actor::kImpostor);
inline constexpr Who kNotBlocked = kUsers.without(Actor::kBlocked);
std::string name(Who who);  // one of the above

// What the topic is, which decides how a grant shows.
enum class Kind : std::uint8_t {
  kOurs,       // below the prefix
  kOutside,    // the broker's own: everybody may do everything there (acl_mode allow)
  kMalformed,  // the broker itself ends the connection of who uses it
};

// The placeholders of a topic:
//   {self} {device}  the actor's user and client id      {SELF}       the user in capitals
//   {group}          the group that the actors differ in  {GROUP}      its name in capitals
//   {witness}        a member of the group and of {elsewhere}, which no actor is in
//   {direct}         the actor's direct conversation with the witness; {tcerid} is it with its users the wrong way
//   round {others}         the direct conversation of two others; {srehto} is it with its users the wrong way round
//   {long}           as many letters as make the topic 65,535 bytes long
struct Place {
  std::string_view topic;
  Kind kind = Kind::kOurs;
  std::array<Who, kOperations.size()> may{};
  std::string_view payload = R"({"id":"{id}","body":"{token}"})";  // what is published there
  bool told = false;  // whoever is there gets to read what was published: the witness is to have it
  bool unnoticed_by_2_0_11 = false;

  constexpr Who who(Operation operation) const { return may[static_cast<std::size_t>(operation)]; }
  constexpr Place set(Operation operation, Who who) const {
    Place changed = *this;
    changed.may[static_cast<std::size_t>(operation)] = who;
    return changed;
  }
  constexpr Place publish(Who who) const { return set(Operation::kPublish, who); }
  constexpr Place subscribe(Who who) const { return set(Operation::kSubscribe, who); }
  constexpr Place receive(Who who) const { return set(Operation::kReceive, who); }
  constexpr Place share(Who who) const { return set(Operation::kShare, who); }
  constexpr Place receive_shared(Who who) const { return set(Operation::kReceiveShared, who); }
  // Later brokers than Debian 12's see that it is malformed, and grant it to nobody.
  constexpr Place only_2_0_11() const {
    Place changed = *this;
    changed.unnoticed_by_2_0_11 = true;
    return changed;
  }
  constexpr Place saying(std::string_view what) const {
    Place changed = *this;
    changed.payload = what;
    return changed;
  }
  constexpr Place reaching_the_witness() const {
    Place changed = *this;
    changed.told = true;
    return changed;
  }
};

std::span<const Place> places();

// The table as docs/permissions.md shows it.
std::string markdown();

}  // namespace chat::test::permissions
