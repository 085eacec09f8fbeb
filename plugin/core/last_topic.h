// The broker asks about the topic of one publish three times and more in a row: whether it may be written to, what
// becomes of the message, and for each receiver whether it may be read. It is parsed once. Thread: the broker's only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugin/core/topic.h"

namespace chat {

class LastTopic {
 public:
  // `topics` outlives it.
  explicit LastTopic(const TopicSpace& topics) : topics_(topics) {}
  LastTopic(const LastTopic&) = delete;
  LastTopic& operator=(const LastTopic&) = delete;

  // As TopicSpace::parse(): the views are into `topic`.
  std::optional<PublishTopic> parse(std::string_view topic) {
    if (topic != text_) {
      text_ = topic;
      parsed_ = topics_.parse(text_);
    }
    if (!parsed_) return std::nullopt;
    return PublishTopic{.kind = parsed_->kind,
                        .name = the_same_of(topic, parsed_->name),
                        .operation = the_same_of(topic, parsed_->operation)};
  }

 private:
  std::string_view the_same_of(std::string_view topic, std::string_view part) const {
    return part.empty() ? part : topic.substr(static_cast<std::size_t>(part.data() - text_.data()), part.size());
  }

  const TopicSpace& topics_;
  std::string text_;                    // no topic is empty
  std::optional<PublishTopic> parsed_;  // with views into text_
};

}  // namespace chat
