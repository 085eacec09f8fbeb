#include "plugin/core/uuid_maker.h"

#include <cstring>

namespace chat {

UuidMaker::UuidMaker() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
  random_.seed(seed);
}

Uuid UuidMaker::make(TimeMs now) {
  Uuid uuid;
  const std::uint64_t chance[2] = {random_(), random_()};
  std::memcpy(uuid.data(), chance, sizeof chance);
  for (std::size_t i = 0; i < 6; ++i) uuid[i] = static_cast<std::uint8_t>(now >> (40 - 8 * i));
  uuid[6] = static_cast<std::uint8_t>(0x70 | (uuid[6] & 0x0F));
  uuid[8] = static_cast<std::uint8_t>(0x80 | (uuid[8] & 0x3F));
  return uuid;
}

}  // namespace chat
