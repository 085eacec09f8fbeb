// The bodies of records. Field order is that of docs/journal-format.md; encode and decode of one type stand together.
#include "plugin/journal/record.h"

#include "plugin/journal/bytes.h"

namespace chat {
namespace {

constexpr char kMessage = 'M';
constexpr char kCursor = 'C';
constexpr char kCommand = 'O';
constexpr char kParked = 'P';
constexpr char kResolved = 'R';

// The alternative T of `record`, kept with its memory where it is there already.
template <class T>
T& as(Record* record) {
  if (auto* present = std::get_if<T>(record)) return *present;
  return record->emplace<T>();
}

void take_mentions(Fields* in, std::vector<std::string>* mentions) {
  std::uint32_t count = 0;
  in->take(&count);
  // Each takes at least its length field: a count beyond that is a lie, and must not size an allocation.
  if (count > in->left() / sizeof(std::uint32_t)) {
    in->fail();
    count = 0;
  }
  mentions->resize(count);
  for (std::string& name : *mentions) in->take_text(&name);
}

void take(Fields* in, MessageRecord* record) {
  StoredMessage& m = record->message;
  std::uint8_t type = 0;
  in->take(&record->resolves);
  in->take(&m.conv_id);
  in->take(&m.seq);
  in->take(&m.server_time);
  in->take_bytes(m.mid.data(), m.mid.size());
  in->take(&type);
  in->take(&m.reply_to);
  in->take(&m.ttl_s);
  in->take_text(&m.conv);
  in->take_text(&m.sender);
  in->take_text(&record->device);
  in->take_text(&m.id);
  take_mentions(in, &m.mentions);
  in->take_text(&m.payload);
  if (type > static_cast<std::uint8_t>(MessageType::kCustom)) in->fail();
  m.type = static_cast<MessageType>(type);
}

void take(Fields* in, CursorRecord* record) {
  CursorUpdate& c = record->cursor;
  in->take(&record->resolves);
  in->take(&c.conv_id);
  in->take(&c.delivered);
  in->take(&c.rev);
  in->take(&c.read);
  in->take(&c.at);
  in->take_text(&c.user);
  in->take_text(&c.device);
}

void take(Fields* in, CommandRecord* record) {
  StoredCommand& c = record->command;
  c.position = 0;
  in->take(&record->resolves);
  in->take(&c.conv_id);
  in->take(&c.server_time);
  in->take_text(&c.operation);
  in->take_text(&c.user);
  in->take_text(&c.device);
  in->take_text(&c.payload);
}

void take(Fields* in, ParkedRecord* record) {
  in->take(&record->at);
  in->take(&record->qos);
  in->take_text(&record->user);
  in->take_text(&record->device);
  in->take_text(&record->topic);
  in->take_text(&record->payload);
  if (record->qos > 2) in->fail();
}

void take(Fields* in, ResolvedRecord* record) {
  in->take(&record->resolves);
}

}  // namespace

void encode(const MessageRecord& record, std::string* out) {
  const StoredMessage& m = record.message;
  out->push_back(kMessage);
  put(out, record.resolves);
  put(out, m.conv_id);
  put(out, m.seq);
  put(out, m.server_time);
  out->append(reinterpret_cast<const char*>(m.mid.data()), m.mid.size());
  put(out, static_cast<std::uint8_t>(m.type));
  put(out, m.reply_to);
  put(out, m.ttl_s);
  put_text(out, m.conv);
  put_text(out, m.sender);
  put_text(out, record.device);
  put_text(out, m.id);
  put(out, static_cast<std::uint32_t>(m.mentions.size()));
  for (const std::string& name : m.mentions) put_text(out, name);
  put_text(out, m.payload);
}

void encode(const CursorRecord& record, std::string* out) {
  const CursorUpdate& c = record.cursor;
  out->push_back(kCursor);
  put(out, record.resolves);
  put(out, c.conv_id);
  put(out, c.delivered);
  put(out, c.rev);
  put(out, c.read);
  put(out, c.at);
  put_text(out, c.user);
  put_text(out, c.device);
}

void encode(const CommandRecord& record, std::string* out) {
  const StoredCommand& c = record.command;
  out->push_back(kCommand);
  put(out, record.resolves);
  put(out, c.conv_id);
  put(out, c.server_time);
  put_text(out, c.operation);
  put_text(out, c.user);
  put_text(out, c.device);
  put_text(out, c.payload);
}

void encode(const ParkedRecord& record, std::string* out) {
  out->push_back(kParked);
  put(out, record.at);
  put(out, record.qos);
  put_text(out, record.user);
  put_text(out, record.device);
  put_text(out, record.topic);
  put_text(out, record.payload);
}

void encode(const ResolvedRecord& record, std::string* out) {
  out->push_back(kResolved);
  put(out, record.resolves);
}

bool decode(std::string_view body, Record* record) {
  if (body.empty()) return false;
  Fields in(body.substr(1));
  switch (body[0]) {
    case kMessage:
      take(&in, &as<MessageRecord>(record));
      break;
    case kCursor:
      take(&in, &as<CursorRecord>(record));
      break;
    case kCommand:
      take(&in, &as<CommandRecord>(record));
      break;
    case kParked:
      take(&in, &as<ParkedRecord>(record));
      break;
    case kResolved:
      take(&in, &as<ResolvedRecord>(record));
      break;
    default:
      return false;
  }
  return in.ok() && in.left() == 0;
}

}  // namespace chat
