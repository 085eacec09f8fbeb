// Who is there: users, their conversations and who comes and goes in them. Made once, before anything is broken.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/support/stack.h"

namespace chat::test {

struct Room {
  std::string conv;                  // "g:…" or "dm:a:b"
  std::vector<std::string> members;  // those who have devices in the workload
  std::size_t size = 0;              // with those who never connect
  std::string owner;                 // empty: a direct conversation
  // Is added and removed all the time; empty: nobody. What this one may see depends on an order that nobody outside can
  // know, so the checker leaves their view of the room alone.
  std::string visitor;

  bool direct() const { return owner.empty(); }
  bool settled(const std::string& user) const { return user != visitor; }
};

struct Society {
  std::vector<std::string> users;  // those who have devices
  std::vector<Room> rooms;

  // `rooms` from 2 to `largest` members, a sixth of them direct.
  static Society make(Stack& stack, int users, int rooms, int largest, std::mt19937_64& chance);
  std::vector<const Room*> rooms_of(const std::string& user) const;
};

}  // namespace chat::test
