// Deliberate defects, one for each thing that the checks look for: a chaos run on a build with one of them has to fail.
// CHAT_CANARY in the broker's environment says which. Nothing of this is in the plugin that is shipped.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "plugin/core/ports.h"
#include "storage/store.h"

namespace chat::canary {

// Of the broker's side: "order" (a message comes behind the next), "gap" (one never comes), "twice", "bytes" (one
// receiver gets others), "recall" (the text in the place of its tombstone), "pause" (the broker's thread waits).
std::unique_ptr<Broker> defective_broker(std::string_view defect);

// Of the store's side: "lose" (a message is not stored), "early" (what is said to be committed is committed one batch
// later), "time" (server_time falls), "command" (one is not passed on), "cursor" (what a device has), "read" (what a
// user has read).
std::unique_ptr<Store> defective_store(std::string_view defect, const std::string& uri, std::string_view name);

}  // namespace chat::canary
