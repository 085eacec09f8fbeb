// A public corpus of JSON texts goes through admit: json.org's JSON_checker with what the simplejson project added to
// it, read from Debian's package python3-simplejson (60 KB), as nothing of it is ours to keep here. It says itself
// which documents are to be refused, and which of those a parser may as well take.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "plugin/core/admit.h"
#include "storage/json_members.h"
#include "storage/stamped.h"

namespace chat {
namespace {

constexpr std::size_t kRefusedMin = 50;
constexpr std::size_t kAcceptedMin = 3;

enum class Expected { kAccepted, kRefused, kEither };

struct Document {
  std::string name;
  Expected expected = Expected::kEither;
  std::string text;
};

// One line a document: its name, what is expected, its bytes in hexadecimal digits.
constexpr const char* kList = R"(/usr/bin/python3 -I -c '
from simplejson.tests import test_fail, test_pass1, test_pass2, test_pass3
for at, text in enumerate(test_fail.JSONDOCS, 1):
    print("fail%d" % at, "either" if at in test_fail.SKIPS else "refused", text.encode().hex())
for at, module in enumerate((test_pass1, test_pass2, test_pass3), 1):
    print("pass%d" % at, "accepted", module.JSON.encode().hex())
')";

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::vector<Document> corpus() {
  const std::unique_ptr<FILE, int (*)(FILE*)> listing(popen(kList, "r"), pclose);
  std::string text;
  std::array<char, 4096> buffer{};
  while (const auto got = std::fread(buffer.data(), 1, buffer.size(), listing.get())) text.append(buffer.data(), got);
  std::vector<Document> documents;
  std::istringstream lines(text);
  std::string name;
  std::string expected;
  std::string bytes;
  while (lines >> name >> expected >> bytes) {
    documents.push_back({name,
                         expected == "accepted"  ? Expected::kAccepted
                         : expected == "refused" ? Expected::kRefused
                                                 : Expected::kEither,
                         from_hex(bytes)});
  }
  return documents;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

class JsonCorpus : public ::testing::Test {
 protected:
  JsonCorpus() : documents_(corpus()) {}

  std::size_t count(Expected expected) const {
    std::size_t found = 0;
    for (const auto& document : documents_) found += document.expected == expected ? 1 : 0;
    return found;
  }

  // Each document inside of `front` and a closing brace; `admit` answers the code of a refusal, or nothing.
  template <typename Admit>
  void go_through(const std::string& front, const Admit& admit) {
    for (const auto& document : documents_) {
      const std::string published = front + document.text + "}";
      SCOPED_TRACE(document.name + ": " + published);
      const std::optional<Code> refused = admit(published, document);
      if (document.expected == Expected::kAccepted) {
        EXPECT_FALSE(refused);
      }
      if (document.expected == Expected::kRefused) {
        EXPECT_EQ(refused, Code::kBadJson);
      }
      if (document.expected == Expected::kEither) {
        EXPECT_EQ(!refused, nlohmann::json::accept(published)) << "another parser says otherwise";
      }
    }
  }

  template <typename T>
  static std::optional<Code> code_of(const Admission<T>& admission) {
    const auto* refusal = std::get_if<Refusal>(&admission);
    if (refusal == nullptr) return std::nullopt;
    return refusal->code;
  }

  const std::vector<Document> documents_;
  Admitter admitter_{65536};
};

TEST_F(JsonCorpus, IsThere) {
  EXPECT_GE(count(Expected::kRefused), kRefusedMin) << "Debian's package python3-simplejson has it: ./dev deps";
  EXPECT_GE(count(Expected::kAccepted), kAcceptedMin);
}

TEST_F(JsonCorpus, AMessageTakesAsItsBodyWhatIsJsonByteForByteAndRefusesTheRest) {
  go_through("{\"body\":", [&](const std::string& published, const Document& document) {
    const auto admission = admitter_.message(published);
    if (const auto* message = std::get_if<AdmittedMessage>(&admission)) {
      EXPECT_EQ(json_member(message->payload, "body"), trimmed(document.text));
      const auto delivered = stamped("g:team", 1, 2, "alice", {}, message->payload);
      EXPECT_TRUE(delivered.ends_with("," + published.substr(1)));
      EXPECT_EQ(nlohmann::json::parse(delivered)["body"], nlohmann::json::parse(document.text));
    }
    return code_of(admission);
  });
}

TEST_F(JsonCorpus, AnEditAndARequestTakeAndRefuseTheSame) {
  go_through("{\"seq\":1,\"body\":", [&](const std::string& published, const Document&) {
    return code_of(admitter_.command("edit", published));
  });
  go_through("{\"id\":\"1\",\"field\":",
             [&](const std::string& published, const Document&) { return code_of(admitter_.request(published)); });
}

// As it is, a document that is no object is refused whatever it is.
TEST_F(JsonCorpus, NoDocumentThatIsToBeRefusedIsTakenAsAWholePayload) {
  for (const auto& document : documents_) {
    const auto code = code_of(admitter_.message(document.text));
    ASSERT_TRUE(code) << document.name << ": " << document.text;
    if (document.expected == Expected::kRefused) {
      EXPECT_EQ(*code, Code::kBadJson) << document.text;
    }
  }
}

}  // namespace
}  // namespace chat
