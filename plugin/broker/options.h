// The plugin's options (plugin_opt_* in the broker's configuration), each described once: in the table of options.cpp.
// The conf file that operators get is compared with that table by a test.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/auth/authenticator.h"
#include "plugin/core/hub.h"
#include "plugin/journal/journal.h"
#include "plugin/persister/persister.h"
#include "plugin/reader/answers.h"

namespace chat {

enum class AclMode { kDefer, kAllow, kIgnore };

struct Options {
  HubOptions hub;
  JournalOptions journal;
  PersisterOptions persister;
  AnswerOptions answers;
  AuthOptions auth;
  std::string postgres_uri;
  std::string postgres_uri_file;
  AclMode acl_mode = AclMode::kDefer;
};

// One row of the table.
struct OptionRow {
  std::string_view name;      // without plugin_opt_
  std::string_view fallback;  // as it would be written in the conf file; empty: none
  std::string_view allowed;   // a phrase: "a whole number from 1 to 500"
  std::string_view sentence;  // what it does
  std::function<bool(std::string_view value, Options* options)> set;  // false: not allowed
};

std::span<const OptionRow> option_table();

using GivenOptions = std::vector<std::pair<std::string, std::string>>;

// The defaults with what was given put over them. An empty answer: all is well; else one sentence that names the
// option, the value and what is allowed. Reads postgres_uri_file. Values that hold a secret are not repeated in the
// sentence.
std::string read_options(const GivenOptions& given, Options* options);

}  // namespace chat
