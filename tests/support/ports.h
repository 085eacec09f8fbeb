// Ports of 127.0.0.1 that belong to this test for as long as it runs, also beside other tests on the same machine.
#pragma once

#include <cstdint>

namespace chat::test {

// One free port. Others that ask the same way get another one until this object is gone.
class Port {
 public:
  Port();
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  int number() const { return number_; }

 private:
  int number_ = 0;
  int lock_ = -1;  // a socket with an abstract name: ends with the process, however that ends
};

}  // namespace chat::test
