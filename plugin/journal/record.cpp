// The bodies of records. Field order is that of docs/journal-format.md; what gives them and what takes them.
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

template <class To>
void give(To* to, const MessageView& m) {
  to->put(m.resolves);
  to->put(m.conv_id);
  to->put(m.seq);
  to->put(m.server_time);
  to->put_bytes(m.mid.data(), m.mid.size());
  to->put(static_cast<std::uint8_t>(m.type));
  to->put(m.reply_to);
  to->put(m.ttl_s);
  to->put_text(m.conv);
  to->put_text(m.sender);
  to->put_text(m.device);
  to->put_text(m.id);
  to->put(static_cast<std::uint32_t>(m.mentions.size()));
  for (const std::string& name : m.mentions) to->put_text(name);
  to->put_text(m.payload);
}

template <class To>
void give(To* to, const CursorRecord& record) {
  const CursorUpdate& c = record.cursor;
  to->put(record.resolves);
  to->put(c.conv_id);
  to->put(c.delivered);
  to->put(c.rev);
  to->put(c.read);
  to->put(c.at);
  to->put_text(c.user);
  to->put_text(c.device);
}

template <class To>
void give(To* to, const CommandRecord& record) {
  const StoredCommand& c = record.command;
  to->put(record.resolves);
  to->put(c.conv_id);
  to->put(c.server_time);
  to->put_text(c.operation);
  to->put_text(c.user);
  to->put_text(c.device);
  to->put_text(c.payload);
}

template <class To>
void give(To* to, const ParkedRecord& record) {
  to->put(record.at);
  to->put(record.qos);
  to->put_text(record.user);
  to->put_text(record.device);
  to->put_text(record.topic);
  to->put_text(record.payload);
}

template <class To>
void give(To* to, const ResolvedRecord& record) {
  to->put(record.resolves);
}

// Behind what `out` holds. Its memory is taken once, and not looked after field by field: this is in the way of each
// publish.
template <class T>
void append(char letter, const T& record, std::string* out) {
  FieldSizes sizes;
  give(&sizes, record);
  const std::size_t before = out->size();
  out->resize(before + sizeof letter + sizes.bytes());
  (*out)[before] = letter;
  FieldPen pen(out->data() + before + sizeof letter);
  give(&pen, record);
}

}  // namespace

MessageRecord::operator MessageView() const {
  return {.conv_id = message.conv_id,
          .conv = message.conv,
          .seq = message.seq,
          .server_time = message.server_time,
          .sender = message.sender,
          .id = message.id,
          .mid = message.mid,
          .type = message.type,
          .reply_to = message.reply_to,
          .ttl_s = message.ttl_s,
          .mentions = message.mentions,
          .payload = message.payload,
          .device = device,
          .resolves = resolves};
}

void encode(const MessageView& record, std::string* out) {
  append(kMessage, record, out);
}

void encode(const CursorRecord& record, std::string* out) {
  append(kCursor, record, out);
}

void encode(const CommandRecord& record, std::string* out) {
  append(kCommand, record, out);
}

void encode(const ParkedRecord& record, std::string* out) {
  append(kParked, record, out);
}

void encode(const ResolvedRecord& record, std::string* out) {
  append(kResolved, record, out);
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
