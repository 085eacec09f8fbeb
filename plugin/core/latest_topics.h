// The broker asks about the topic of one publish three times and more in a row: whether it may be written to, what
// becomes of the message, and for each receiver whether it may be read; and who publishes to it does so again. It is
// parsed once, and again when another one has taken its place. Thread: the broker's only.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/core/place.h"
#include "plugin/core/topic.h"

namespace chat {

class LatestTopics {
 public:
  // `topics` outlives it.
  explicit LatestTopics(const TopicSpace& topics) : topics_(topics) {}
  LatestTopics(const LatestTopics&) = delete;
  LatestTopics& operator=(const LatestTopics&) = delete;

  // As TopicSpace::parse(); null where that answers nullopt. The answer, and what its views show, is gone with the next
  // call.
  const PublishTopic* parse(std::string_view topic) {
    if (topic != latest_->text) {
      latest_ = &known_[place_of<kKnown>(key_of(topic))];
      if (topic != latest_->text) {
        latest_->text = topic;
        latest_->parsed = topics_.parse(latest_->text);
      }
    }
    return latest_->parsed ? &*latest_->parsed : nullptr;
  }

 private:
  struct Known {
    std::string text;                    // no topic is empty
    std::optional<PublishTopic> parsed;  // with views into text
  };

  static constexpr std::size_t kKnown = 64;

  // The last 16 bytes: of most topics, the end of a name and what stands behind it.
  static std::uint64_t key_of(std::string_view topic) {
    std::array<std::uint64_t, 2> end{};
    const auto bytes = std::min(topic.size(), sizeof end);
    if (bytes > 0) std::memcpy(end.data(), topic.data() + topic.size() - bytes, bytes);
    return end[0] + std::rotl(end[1], 29);
  }

  const TopicSpace& topics_;
  std::array<Known, kKnown> known_;
  Known* latest_ = known_.data();
};

}  // namespace chat
