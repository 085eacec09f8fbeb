// The page docs/journal-format.md against the code: its worked example is read out of it and compared byte for byte.
#include "plugin/journal/format.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "plugin/journal/state.h"
#include "storage/uuid.h"

namespace chat {
namespace {

// The hex of the example's lines ("000000   43 48 …   meaning").
std::string example_bytes() {
  std::ifstream page(CHAT_SOURCE_DIR "/docs/journal-format.md");
  std::string bytes;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("offset   bytes")) inside = true;
    if (!inside || line.size() < 9 || line[0] != '0') continue;
    const std::size_t offset = std::stoul(line.substr(0, 6), nullptr, 16);
    EXPECT_EQ(offset, bytes.size()) << line;
    std::istringstream words(line.substr(6));
    for (std::string word; words >> word && word.size() == 2;) {
      std::size_t used = 0;
      const int byte = std::stoi(word, &used, 16);
      if (used != 2) break;
      bytes += static_cast<char>(byte);
    }
    if (bytes.size() > 0x49) break;
  }
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    char two[4];
    std::snprintf(two, sizeof two, "%02x ", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += two;
  }
  return out;
}

TEST(JournalFormat, ExampleInThePageIsWhatTheCodeWrites) {
  const Uuid journal = parse_uuid("00112233-4455-6677-8899-aabbccddeeff").value();
  std::string record(kRecordHeaderBytes, '\0');
  encode(ResolvedRecord{64}, &record);
  RecordSeal(journal).close(64, &record);
  EXPECT_EQ(hex(example_bytes()), hex(encode_header({journal, 64, 64, 1'700'000'000'000}) + record));
}

TEST(JournalFormat, SegmentNamesGoBothWays) {
  EXPECT_EQ(segment_name(64), "0000000000000040.seg");
  for (const Position base : {Position{64}, kPowerCutGap, ~Position{0}}) {
    EXPECT_EQ(segment_base(segment_name(base)), base);
  }
  for (const char* other : {"", "state", "spare.tmp", "40.seg", "0000000000000040.seg.cut", "00000000000000zz.seg",
                            "00000000000000A0.seg", "-000000000000040.seg"}) {
    EXPECT_EQ(segment_base(other), std::nullopt) << other;
  }
}

TEST(JournalFormat, HeaderComesBackAndAnyFlippedBitIsDamage) {
  const SegmentHeader header{random_uuid(), 4096, 4000, 1'700'000'000'000};
  const std::string bytes = encode_header(header);
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  SegmentHeader back;
  std::uint32_t version = 0;
  ASSERT_EQ(decode_header(bytes, &back, &version), HeaderState::kGood);
  EXPECT_EQ(back, header);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(decode_header(flipped, &back, &version), HeaderState::kDamaged) << "bit " << bit;
  }
}

TEST(JournalFormat, ARecordIsWholeInOnePlaceOfOneJournalOnly) {
  const RecordSeal seal(random_uuid());
  const RecordSeal other(random_uuid());
  EXPECT_NE(seal.checksum(64, "Rbody"), seal.checksum(65, "Rbody"));
  EXPECT_NE(seal.checksum(64, "Rbody"), other.checksum(64, "Rbody"));
}

}  // namespace
}  // namespace chat
