// What is on its way to devices, kept until the end of the broker's turn. Mosquitto addresses a client by its id and
// sends in its next turn: what was given to it at once could reach another connection that took the id over meanwhile,
// in front of its SUBACK and out of order. So it is given at the last moment, and only to whom it was meant for.
// Thread: the broker's.
#pragma once

#include <string>
#include <vector>

#include "plugin/core/ports.h"

namespace chat {

class Handover {
 public:
  struct Parcel {
    std::string device;
    std::uint64_t generation = 0;
    std::string topic;
    Bytes payload;
    int qos = 0;
  };

  void add(Parcel parcel) { parcels_.push_back(std::move(parcel)); }

  // Gives each to `give`, in the order in which they came, but for those whose session is not there any more.
  template <typename IsThere, typename Give>
  void release(IsThere is_there, Give give) {
    for (const auto& parcel : parcels_) {
      if (is_there(parcel.device, parcel.generation)) give(parcel);
    }
    parcels_.clear();
    if (parcels_.capacity() > kKeptMax) parcels_.shrink_to_fit();
  }

 private:
  static constexpr std::size_t kKeptMax = 4096;  // a crowd's worth of room is not kept for quiet days
  std::vector<Parcel> parcels_;
};

}  // namespace chat
