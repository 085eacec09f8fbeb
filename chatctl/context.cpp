#include "chatctl/context.h"

#include <cstdlib>
#include <stdexcept>

#include "storage/postgres_uri.h"
#include "storage/secret_file.h"

namespace chat::ctl {
namespace {

constexpr const char* kOptions = "--postgres-file, CHAT_PG or --postgres";

std::string from_file(const std::string& path) {
  try {
    return read_secret(path);
  } catch (const std::runtime_error& error) {
    throw CLI::ValidationError("--postgres-file", error.what());
  }
}

std::string from_environment() {
  const char* const uri = std::getenv("CHAT_PG");
  return uri != nullptr ? uri : "";
}

}  // namespace

std::string Context::uri() const {
  auto uri = given_uri;
  if (uri.empty()) uri = uri_file.empty() ? from_environment() : from_file(uri_file);
  if (uri.empty()) throw CLI::RequiredError(std::string(kOptions) + " with a libpq connection URI");
  if (const auto fault = postgres_uri_fault(uri); !fault.empty()) {
    throw CLI::ValidationError(kOptions, "PostgreSQL's connection URI " + fault);
  }
  return uri;
}

}  // namespace chat::ctl
