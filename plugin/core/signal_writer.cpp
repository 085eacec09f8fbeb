#include "plugin/core/signal_writer.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace chat {

SignalWriter::SignalWriter(std::string topic, std::string seal, std::string bridge_user, Broker& broker,
                           Directory& directory)
    : topic_(std::move(topic)),
      seal_(std::move(seal)),
      bridge_user_(std::move(bridge_user)),
      broker_(broker),
      directory_(directory) {}

void SignalWriter::bridge_went() {
  listened_ = false;
  snapshot_due_ = false;
  news_.clear();
}

// Null: nobody is to be told.
SignalWriter::News* SignalWriter::gather(const Session& session) {
  if (!listened_ || session.user->name == bridge_user_) return nullptr;
  auto& news = news_[session.user->name + "/" + session.device];  // no user name holds a slash
  if (news.user.empty()) {
    news.user = session.user->name;
    news.device = session.device;
  }
  return &news;
}

void SignalWriter::asked(const Session& session) {
  if (auto* news = gather(session)) news->asked = true;
}

void SignalWriter::tick() {
  if (std::exchange(snapshot_due_, false)) return tell_all();
  if (!news_.empty()) tell_news();
}

void SignalWriter::tell_all() {
  listened_ = true;
  reset_ = true;
  number_ = 0;
  news_.clear();
  directory_.each_session([this](const Session& session) {
    if (session.user->name == bridge_user_) return;
    add(session.user->name, session.device, &session, true);
  });
  if (count_ > 0 || reset_) publish();
}

// What is told is how things stand now: a device that went and came within one tick is simply there.
void SignalWriter::tell_news() {
  for (const auto& [key, news] : std::exchange(news_, {})) {
    const auto* session = directory_.find_device(news.device);
    if (session != nullptr && session->user->name != news.user) session = nullptr;
    add(news.user, news.device, session, news.asked);
  }
  if (count_ > 0) publish();
}

void SignalWriter::add(std::string_view user, std::string_view device, const Session* session, bool asked) {
  const auto word = [](bool value) { return value ? "true" : "false"; };
  const bool unread = session != nullptr && session->wants_unread;
  sessions_.append(sessions_.empty() ? "{\"user\":\"" : ",{\"user\":\"").append(user);
  sessions_.append("\",\"device\":").append(nlohmann::json(device).dump());
  sessions_.append(",\"online\":").append(word(session != nullptr));
  sessions_.append(",\"unread\":").append(word(unread));
  sessions_.append(",\"asked\":").append(word(unread && asked)).append("}");
  if (++count_ >= kSessionsAtOnce) publish();
}

void SignalWriter::publish() {
  auto payload = seal_;
  payload.append("\"n\":").append(std::to_string(++number_));
  payload.append(",\"reset\":").append(std::exchange(reset_, false) ? "true" : "false");
  payload.append(",\"sessions\":[").append(sessions_).append("]}");
  sessions_.clear();
  count_ = 0;
  broker_.publish(topic_, payload, 1);
}

}  // namespace chat
