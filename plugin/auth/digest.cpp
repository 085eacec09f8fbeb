#include "plugin/auth/digest.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace chat {

std::string sha256(std::string_view bytes) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(),
                   reinterpret_cast<unsigned char*>(digest.data()), &size) != 1)
    throw std::runtime_error("OpenSSL has no SHA-256");
  digest.resize(size);
  return digest;
}

}  // namespace chat
