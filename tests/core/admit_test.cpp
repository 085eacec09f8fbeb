#include "plugin/core/admit.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chat {
namespace {

using namespace std::string_literals;

class Admit : public testing::Test {
 protected:
  template <typename T>
  static Code code(const Admission<T>& admission) {
    const auto* refusal = std::get_if<Refusal>(&admission);
    EXPECT_NE(refusal, nullptr) << "was admitted";
    if (refusal == nullptr) return Code::kUnknownOperation;
    EXPECT_FALSE(refusal->reason.empty());
    EXPECT_LT(refusal->reason.size(), 500U);
    return refusal->code;
  }
  Code message_code(const std::string& payload) { return code(admitter_.message(payload)); }
  AdmittedMessage admitted(const std::string& payload) {
    auto admission = admitter_.message(payload);
    if (const auto* refusal = std::get_if<Refusal>(&admission)) ADD_FAILURE() << payload << ": " << refusal->reason;
    return std::get<AdmittedMessage>(admission);
  }

  Admitter admitter_{4096};
};

TEST_F(Admit, AMessageIsReadAsItsSenderWroteIt) {
  const std::string payload =
      " \r\n{\"unknown\":{\"from\":1},\"id\":\"\\u00e9-1\",\"type\":\"voice\",\"body\":[1,2],\"reply_to\":7,\"ttl\":60,"
      "\"mentions\":[\"bob\",\"carol\",\"bob\"]}\n";
  const auto message = admitted(payload);
  EXPECT_EQ(message.payload, payload.substr(3));
  EXPECT_EQ(message.id, "\xc3\xa9-1");
  EXPECT_EQ(message.type, MessageType::kVoice);
  EXPECT_EQ(message.reply_to, 7);
  EXPECT_EQ(message.ttl_s, 60);
  EXPECT_EQ(message.mentions, (std::vector<std::string>{"bob", "carol"}));
  const auto least = admitted(R"({"body":null})");
  EXPECT_TRUE(least.id.empty());
  EXPECT_EQ(least.type, MessageType::kText);
}

TEST_F(Admit, EveryTypeHasItsWord) {
  const std::vector<std::string> words{"text", "image", "voice", "video", "file", "emoji", "location", "custom"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(admitted(R"({"body":1,"type":")" + words[i] + "\"}").type), i);
  }
}

TEST_F(Admit, WhatIsNotOneJsonObjectIsBadJson) {
  for (const auto& payload : {""s,
                              " "s,
                              "null"s,
                              "[]"s,
                              "\"x\""s,
                              "1"s,
                              "{"s,
                              "{}}"s,
                              "{\"body\":1}x"s,
                              "{\"body\":1}{}"s,
                              "{\"body\":1}\0"s,
                              "\0{\"body\":1}"s,
                              "{'body':1}"s,
                              "{body:1}"s,
                              "{\"body\":1,}"s,
                              "{\"body\":01}"s,
                              "{\"body\":NaN}"s,
                              "{\"body\":tru}"s,
                              "{\"body\":\"\x01\"}"s,
                              "{\"body\":\"\n\"}"s,
                              "\xef\xbb\xbf{\"body\":1}"s,
                              "{\"body\":\"\xff\"}"s,
                              "{\"body\":\"\xc3\"}"s,
                              "{\"body\":\"\xed\xa0\x80\"}"s,
                              "{\"body\":\"\xc0\x80\"}"s,
                              "{\"\xff\":1,\"body\":1}"s,
                              "{\"body\":1e999}"s,
                              "{\"body\":\"\\ud800\"}"s,
                              "{\"body\":\"\\x\"}"s,
                              "{\"body\":1 /* no */}"s}) {
    EXPECT_EQ(message_code(payload), Code::kBadJson) << payload;
  }
}

TEST_F(Admit, DeepNestingIsRefusedOrTakenButNeverOverflowsTheStack) {
  Admitter roomy(1 << 20);
  for (const std::size_t depth : {10U, 100U, 1000U, 5000U, 200'000U}) {
    std::string payload = "{\"body\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
    const auto admission = roomy.message(payload);
    if (depth <= 100) {
      EXPECT_TRUE(std::holds_alternative<AdmittedMessage>(admission)) << depth;
    }
    if (depth >= 5000) {
      EXPECT_EQ(code(admission), Code::kBadJson) << depth;
    }
    payload = "{\"body\":1,\"id\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
    EXPECT_TRUE(std::holds_alternative<Refusal>(roomy.message(payload))) << depth;
  }
}

// JSON bounds no number, but what receivers make of a larger one differs: some round it, some fail.
TEST_F(Admit, WholeNumbersThat64BitsDoNotHoldAreRefused) {
  admitted(R"({"body":[18446744073709551615,-9223372036854775808,1e300,0.12345678901234567890123]})");
  EXPECT_EQ(message_code(R"({"body":18446744073709551616})"), Code::kBadJson);
  EXPECT_EQ(message_code(R"({"body":-9223372036854775809})"), Code::kBadJson);
}

TEST_F(Admit, ServerFieldsAreReservedHoweverTheyAreSpelled) {
  for (const std::string name : {"conv", "seq", "server_time", "from", "mid"}) {
    EXPECT_EQ(message_code("{\"" + name + "\":1,\"body\":1}"), Code::kReservedField) << name;
    EXPECT_EQ(message_code("{\"body\":1,\"" + name + "\":null}"), Code::kReservedField) << name;
    std::string escaped;
    for (const char c : name) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\u%04x", static_cast<unsigned>(c));
      escaped += hex;
    }
    EXPECT_EQ(message_code("{\"body\":1,\"" + escaped + "\":1}"), Code::kReservedField) << escaped;
  }
  EXPECT_EQ(message_code(R"({"\u0066rom":"eve","body":1})"), Code::kReservedField);
  EXPECT_EQ(message_code(R"({"body":1,"fro\u006D":1,"x":2})"), Code::kReservedField);
  EXPECT_EQ(message_code(R"({"body":1,"x":1,"x":1,"seq":1,"seq":2})"), Code::kReservedField);
}

TEST_F(Admit, NestedOrSimilarNamesAreTheSendersOwn) {
  admitted(R"({"body":{"from":"x","seq":1,"mid":2,"conv":3,"server_time":4}})");
  admitted(R"({"body":1,"From":1,"from ":1,"seq\u0000":1,"fr\u043em":1})");
}

TEST_F(Admit, IdsAreStringsOf1To64BytesWithoutControlCharacters) {
  EXPECT_EQ(admitted("{\"body\":1,\"id\":\"" + std::string(64, 'i') + "\"}").id, std::string(64, 'i'));
  for (const auto& id : {"\"\""s, "1"s, "null"s, "[\"x\"]"s, "\"" + std::string(65, 'i') + "\"", R"("a\u0000b")"s,
                         R"("\n")"s, R"("\u007f")"s, R"("\u0000")"s}) {
    EXPECT_EQ(message_code("{\"body\":1,\"id\":" + id + "}"), Code::kBadField) << id;
  }
}

TEST_F(Admit, KnownFieldsAreHeldToTheirShape) {
  for (const auto* field : {R"("type":"song")",
                            R"("type":"Text")",
                            R"("type":1)",
                            R"("type":"")",
                            R"("reply_to":0)",
                            R"("reply_to":-1)",
                            R"("reply_to":1.5)",
                            R"("reply_to":1.0)",
                            R"("reply_to":"1")",
                            R"("reply_to":9223372036854775808)",
                            R"("reply_to":18446744073709551615)",
                            R"("ttl":0)",
                            R"("ttl":315360001)",
                            R"("ttl":1e3)",
                            R"("mentions":"bob")",
                            R"("mentions":[1])",
                            R"("mentions":["no good"])",
                            R"("mentions":[""])",
                            R"("mentions":{"bob":1})",
                            R"("id":"a","id":"a")",
                            R"("body":2)",
                            R"("type":"text","ty\u0070e":"text")"}) {
    EXPECT_EQ(message_code("{\"body\":1," + std::string(field) + "}"), Code::kBadField) << field;
  }
  EXPECT_EQ(admitted(R"({"body":1,"reply_to":9223372036854775807})").reply_to, INT64_MAX);
  EXPECT_EQ(admitted(R"({"body":1,"ttl":315360000})").ttl_s, kTtlMax);
  // Beyond 64 bits the parser gives up, whoever's field it is.
  EXPECT_EQ(message_code(R"({"body":1,"reply_to":123456789012345678901234567890})"), Code::kBadJson);
}

TEST_F(Admit, AHundredMentionsAreTheMost) {
  const auto with = [](std::size_t count) {
    std::string payload = R"({"body":1,"mentions":["bob")";
    for (std::size_t i = 1; i < count; ++i) payload += ",\"u" + std::to_string(i) + "\"";
    return payload + "]}";
  };
  EXPECT_EQ(admitted(with(kMentionsMax)).mentions.size(), kMentionsMax);
  EXPECT_EQ(message_code(with(kMentionsMax + 1)), Code::kBadField);
}

TEST_F(Admit, ABodyIsRequiredWhateverElseIsThere) {
  EXPECT_EQ(message_code("{}"), Code::kBadField);
  EXPECT_EQ(message_code(R"({"id":"x","Body":1})"), Code::kBadField);
}

TEST_F(Admit, SizeIsWhatWasPublished) {
  const auto padded = [](std::size_t size) { return "{\"body\":1}" + std::string(size - 10, ' '); };
  admitted(padded(4096));
  EXPECT_EQ(message_code(padded(4097)), Code::kTooLarge);
}

TEST_F(Admit, ARefusalCarriesTheIdWhereverItStands) {
  for (const auto* payload : {R"({"seq":1,"body":1,"id":"x"})", R"({"id":"x","ttl":0,"body":1})", R"({"id":"x"})"}) {
    const auto admission = admitter_.message(payload);
    ASSERT_TRUE(std::holds_alternative<Refusal>(admission));
    EXPECT_EQ(std::get<Refusal>(admission).id, "x") << payload;
  }
}

TEST_F(Admit, ResultsOutliveTheNextCall) {
  const std::string first = R"({"body":"first","id":"1"})";
  const auto message = admitted(first);
  admitted(R"({"body":"second and quite a bit longer than the first one was","id":"2"})");
  EXPECT_EQ(message.payload, first);
  EXPECT_EQ(message.id, "1");
}

TEST_F(Admit, Cursors) {
  const auto delivered = std::get<AdmittedCursor>(admitter_.cursor(R"({"seq":3,"rev":2,"x":1})", false));
  EXPECT_EQ(delivered.delivered, 3);
  EXPECT_EQ(delivered.rev, 2);
  EXPECT_EQ(delivered.read, 0);
  const auto read = std::get<AdmittedCursor>(admitter_.cursor(R"({"seq":3,"rev":2})", true));
  EXPECT_EQ(read.delivered, 3);
  EXPECT_EQ(read.read, 3);
  EXPECT_EQ(read.rev, 0);
  EXPECT_EQ(std::get<AdmittedCursor>(admitter_.cursor(R"({"rev":2})", false)).rev, 2);
  for (const auto* payload :
       {"{}", R"({"seq":-1})", R"({"seq":"1"})", R"({"seq":1.5})", R"({"rev":-1})", R"({"seq":1,"rev":null})"}) {
    EXPECT_EQ(code(admitter_.cursor(payload, false)), Code::kBadField) << payload;
  }
  for (const auto* payload : {"{}", R"({"rev":1})", R"({"seq":0})"}) {
    EXPECT_EQ(code(admitter_.cursor(payload, true)), Code::kBadField) << payload;
  }
  EXPECT_EQ(code(admitter_.cursor("[1]", false)), Code::kBadJson);
  EXPECT_EQ(code(admitter_.cursor("{\"seq\":1" + std::string(4096, ' ') + "}", false)), Code::kTooLarge);
}

TEST_F(Admit, ManyAcknowledgementsAtOnce) {
  const auto cursors = std::get<std::vector<AdmittedCursor>>(
      admitter_.ack_many(R"({"delivered":{"g:1":{"seq":5,"rev":2},"dm:a:b":{"rev":1}},"read":{"g:1":4},"x":0})"));
  ASSERT_EQ(cursors.size(), 3U);
  EXPECT_EQ(cursors[0].conv, "g:1");
  EXPECT_EQ(cursors[0].delivered, 5);
  EXPECT_EQ(cursors[1].rev, 1);
  EXPECT_EQ(cursors[2].read, 4);
  EXPECT_EQ(cursors[2].delivered, 4);
  EXPECT_TRUE(std::get<std::vector<AdmittedCursor>>(admitter_.ack_many("{}")).empty());
  for (const auto* payload : {R"({"delivered":1})", R"({"delivered":{"g:1":5}})", R"({"delivered":{"g:1":{"seq":-1}}})",
                              R"({"read":{"g:1":0}})", R"({"read":{"g:1":{"seq":1}}})",
                              R"({"delivered":{"no":{"seq":1}}})", R"({"read":{"dm:b:a":1}})", R"({"read":[]})"}) {
    EXPECT_EQ(code(admitter_.ack_many(payload)), Code::kBadField) << payload;
  }
  EXPECT_EQ(code(admitter_.ack_many("1")), Code::kBadJson);
}

TEST_F(Admit, AnAcknowledgementOfTheMostConversationsFits) {
  std::string payload = "{\"delivered\":{";
  for (std::size_t i = 0; i < kAckEntriesMax; ++i) {
    payload += (i > 0 ? ",\"g:" : "\"g:") + std::to_string(i) + "\":{\"seq\":9007199254740991,\"rev\":100000}";
  }
  payload += "}}";
  const auto admission = admitter_.ack_many(payload);
  ASSERT_TRUE(std::holds_alternative<std::vector<AdmittedCursor>>(admission)) << std::get<Refusal>(admission).reason;
  EXPECT_EQ(std::get<std::vector<AdmittedCursor>>(admission).size(), kAckEntriesMax);
  payload.insert(payload.size() - 2, ",\"g:more\":{\"seq\":1}");
  EXPECT_EQ(code(admitter_.ack_many(payload)), Code::kBadField);
}

TEST_F(Admit, Commands) {
  const auto recall = std::get<AdmittedCommand>(admitter_.command("recall", R"( {"seq":3,"id":"r"})"));
  EXPECT_EQ(recall.seq, 3);
  EXPECT_EQ(recall.id, "r");
  EXPECT_EQ(recall.payload, R"({"seq":3,"id":"r"})");
  EXPECT_TRUE(std::holds_alternative<AdmittedCommand>(admitter_.command("edit", R"({"seq":3,"body":{}})")));
  EXPECT_TRUE(std::holds_alternative<AdmittedCommand>(
      admitter_.command("react", "{\"seq\":3,\"emoji\":\"\xf0\x9f\x91\x8d\",\"on\":false}")));
  EXPECT_EQ(code(admitter_.command("recall", "{}")), Code::kBadField);
  EXPECT_EQ(code(admitter_.command("recall", R"({"seq":0})")), Code::kBadField);
  EXPECT_EQ(code(admitter_.command("recall", R"({"seq":1,"seq":2})")), Code::kBadField);
  EXPECT_EQ(code(admitter_.command("edit", R"({"seq":1})")), Code::kBadField);
  EXPECT_EQ(code(admitter_.command("react", R"({"seq":1})")), Code::kBadField);
  EXPECT_EQ(code(admitter_.command("react", R"({"seq":1,"emoji":""})")), Code::kBadField);
  EXPECT_EQ(code(admitter_.command("react", R"({"seq":1,"emoji":"x","on":1})")), Code::kBadField);
  EXPECT_EQ(code(admitter_.command("recall", "nonsense")), Code::kBadJson);
  EXPECT_EQ(code(admitter_.command("edit", "{\"seq\":1,\"body\":\"" + std::string(5000, 'x') + "\"}")),
            Code::kTooLarge);
}

TEST_F(Admit, ARefusedCommandCarriesItsId) {
  const auto admission = admitter_.command("recall", R"({"id":"r","seq":0})");
  ASSERT_TRUE(std::holds_alternative<Refusal>(admission));
  EXPECT_EQ(std::get<Refusal>(admission).id, "r");
}

TEST_F(Admit, TypingAndRequests) {
  EXPECT_TRUE(std::get<AdmittedTyping>(admitter_.typing(R"({"on":true})")).on);
  EXPECT_FALSE(std::get<AdmittedTyping>(admitter_.typing(R"({"on":false})")).on);
  EXPECT_EQ(code(admitter_.typing("{}")), Code::kBadField);
  EXPECT_EQ(code(admitter_.typing(R"({"on":1})")), Code::kBadField);
  const auto request = std::get<AdmittedRequest>(admitter_.request(" {\"id\":\"7\",\"from\":1} "));
  EXPECT_EQ(request.id, "7");
  EXPECT_EQ(request.payload, "{\"id\":\"7\",\"from\":1} ");
  EXPECT_EQ(code(admitter_.request("{}")), Code::kBadField);
  EXPECT_EQ(code(admitter_.request(R"({"id":7})")), Code::kBadField);
  EXPECT_EQ(code(admitter_.request("")), Code::kBadJson);
}

}  // namespace
}  // namespace chat
