// One signer of each algorithm, made once for the program: an RSA key takes a tenth of a second.
#pragma once

#include <vector>

#include "storage/types.h"
#include "tests/auth/signer.h"

namespace chat::test {

inline constexpr TimeMs kNow = 1'700'000'000'000;  // when tokens are shown

inline const Signer& rsa() {
  static const Signer signer = Signer::rsa();
  return signer;
}

inline const Signer& p256() {
  static const Signer signer = Signer::elliptic();
  return signer;
}

inline const Signer& ed25519() {
  static const Signer signer = Signer::ed25519();
  return signer;
}

inline const Signer& shared_secret() {
  static const Signer signer = Signer::secret("a secret of at least thirty-two bytes");
  return signer;
}

inline std::vector<Signer> all_signers() {
  return {shared_secret(), rsa(), p256(), ed25519()};
}

}  // namespace chat::test
