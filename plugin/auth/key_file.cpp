#include "plugin/auth/key_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "plugin/auth/jwk.h"
#include "plugin/core/refusal.h"

namespace chat {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{256} << 10;

// Answers a phrase where it can't be read.
std::string contents_of(const std::string& path, std::string* text) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  if (file) all << file.rdbuf();
  if (!file || (all.str().empty() && errno != 0))
    return std::string("it can't be read: ") + (errno != 0 ? std::strerror(errno) : "no reason is known");
  *text = all.str();
  if (text->empty()) return "it is empty";
  return text->size() > kFileBytesMax ? "it is larger than 256 KB" : std::string();
}

struct Block {
  std::string name;  // "PUBLIC KEY"
  std::string bytes;
};

// The next block in PEM; false: there is none.
bool next_block(BIO* text, Block* block) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  const bool found = PEM_read_bio(text, &name, &header, &bytes, &size) == 1;
  if (found) *block = {.name = name, .bytes = {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)}};
  if (bytes != nullptr) OPENSSL_cleanse(bytes, static_cast<std::size_t>(size));
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(bytes);
  return found;
}

std::string read_pem(const std::string& text, std::vector<VerifyKey>* keys) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                         BIO_free);
  ERR_clear_error();
  Block block;
  while (next_block(memory.get(), &block)) {
    if (block.name.ends_with("PRIVATE KEY"))
      return "it holds a private key, which belongs to who signs: the broker needs the public one alone (openssl pkey "
             "-pubout)";
    if (block.name != "PUBLIC KEY")
      return "it holds a block " + in_quotes(block.name) + ", and only \"PUBLIC KEY\" is taken (openssl pkey -pubout)";
    const auto* bytes = reinterpret_cast<const unsigned char*>(block.bytes.data());
    const PublicKey key(d2i_PUBKEY(nullptr, &bytes, static_cast<long>(block.bytes.size())), EVP_PKEY_free);
    if (key == nullptr) return "it holds a \"PUBLIC KEY\" that is broken";
    std::string why;
    auto read = VerifyKey::of_public(key, {}, &why);
    if (!read) return "it holds " + why;
    keys->push_back(std::move(*read));
  }
  // A block that is torn ends the reading like the end of the file does, but for the reason.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) return "it holds a block in PEM that is broken";
  return {};
}

std::string read_secret(const std::string& text, std::vector<VerifyKey>* keys) {
  auto line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  std::string why;
  auto key = VerifyKey::of_secret(std::move(line), {}, &why);
  if (!key) return "its first line is " + why;
  keys->push_back(std::move(*key));
  return {};
}

bool readable_by_everybody(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && (found.st_mode & S_IROTH) != 0;
}

std::string read_keys(const KeySource& source, const std::string& text, KeyRing* ring) {
  switch (source.kind) {
    case KeySource::Kind::kPublicKeys:
      return read_pem(text, &ring->keys);
    case KeySource::Kind::kSecret:
      return read_secret(text, &ring->keys);
    case KeySource::Kind::kJwks:
      return read_jwks(text, &ring->keys, &ring->warnings);
    case KeySource::Kind::kNone:
      break;
  }
  return {};
}

}  // namespace

std::string load_keys(const KeySource& source, KeyRing* ring) {
  std::string text;
  KeyRing read;
  auto why = contents_of(source.path, &text);
  if (why.empty()) why = read_keys(source, text, &read);
  ERR_clear_error();
  OPENSSL_cleanse(text.data(), text.size());
  if (why.empty() && read.keys.empty()) why = "it holds no key for " + std::string(kAlgorithmNames);
  if (why.empty() && read.keys.size() > kKeysMax)
    why = "it holds " + std::to_string(read.keys.size()) + " keys, and at most " + std::to_string(kKeysMax) +
          " are taken";
  const auto file = "The file with the keys for tokens, " + source.path + ", ";
  if (!why.empty()) return file + "can't be used: " + why + ".";
  const auto in_part = file + "is used in part: ";
  for (auto& warning : read.warnings) warning.insert(0, in_part).append(".");
  const bool secret = std::any_of(read.keys.begin(), read.keys.end(),
                                  [](const VerifyKey& key) { return key.algorithm() == Algorithm::kHs256; });
  if (secret && readable_by_everybody(source.path)) {
    read.warnings.push_back(file +
                            "holds a secret and may be read by everybody on this machine: who reads it can log "
                            "in as anyone. chmod 600 mends that.");
  }
  *ring = std::move(read);
  return {};
}

}  // namespace chat
