#include <string>
#include <vector>

#include "chatctl/context.h"
#include "chatctl/output.h"
#include "storage/labels.h"
#include "storage/refusals.h"

namespace chat::ctl {
namespace {

constexpr int kPage = 1000;  // rows asked for at once

struct CreateOptions {
  std::string title;
  std::string owner;
  std::vector<std::string> members;
};

void create(Context& context, const CreateOptions& options) {
  const auto name = context.store().create_group(options.title, options.owner, options.members, time_now());
  if (context.json) {
    print_json({{"name", name}});
  } else {
    print_line(name);
  }
}

Json json_of(const ConversationState& state) {
  Json members = Json::array();
  for (const auto& member : state.members) {
    members.push_back({{"user", member.user},
                       {"role", label(member.role)},
                       {"join_seq", member.join_seq},
                       {"join_rev", member.join_rev},
                       {"read", member.read}});
  }
  Json json;
  json["name"] = state.name;
  json["kind"] = label(state.kind);
  json["title"] = state.title;
  json["announcement"] = state.announcement;
  json["last_seq"] = state.last_seq;
  json["last_time"] = state.last_time;
  json["last_rev"] = state.last_rev;
  json["members"] = std::move(members);
  return json;
}

void show(Context& context, const std::string& name) {
  const auto state = context.store().find_conversation(name);
  if (!state) throw no_such_conversation(name);
  if (context.json) return print_json(json_of(*state));
  print_line("name          " + state->name);
  print_line("kind          " + std::string(label(state->kind)));
  print_line("title         " + (state->title.empty() ? "-" : harmless(state->title)));
  print_line("announcement  " + std::string(state->announcement ? "yes" : "no"));
  print_line("last message  " + std::to_string(state->last_seq) + "  " + time_text(state->last_time));
  print_line("last event    " + std::to_string(state->last_rev));
  print_line("");
  Table members{"MEMBER", "ROLE", "SEES FROM", "READ TO"};
  for (const auto& member : state->members) {
    members.add(
        {member.user, std::string(label(member.role)), std::to_string(member.join_seq), std::to_string(member.read)});
  }
  members.print();
}

void list(Context& context) {
  Json conversations = Json::array();
  Table table{"NAME", "KIND", "MEMBERS", "MESSAGES", "LAST MESSAGE", "TITLE"};
  std::string after;
  auto& store = context.store();
  for (auto page = store.list_conversations(after, kPage); !page.empty();
       page = store.list_conversations(after, kPage)) {
    for (const auto& row : page) {
      if (context.json) {
        conversations.push_back({{"name", row.name},
                                 {"kind", label(row.kind)},
                                 {"title", row.title},
                                 {"members", row.members},
                                 {"last_seq", row.last_seq},
                                 {"last_time", row.last_time}});
      } else {
        table.add({row.name, std::string(label(row.kind)), std::to_string(row.members), std::to_string(row.last_seq),
                   time_text(row.last_time), harmless(row.title)});
      }
    }
    after = page.back().name;
  }
  if (context.json) {
    print_json({{"conversations", conversations}});
  } else {
    table.print();
  }
}

}  // namespace

void add_conversation_commands(CLI::App& app, Context& context) {
  auto* conversation = app.add_subcommand("conversation", "Conversations")->require_subcommand(1);

  auto options = std::make_shared<CreateOptions>();
  auto* create_command = conversation->add_subcommand("create", "Make a group; prints its name");
  create_command->add_option("--owner", options->owner, "The user who owns it")->required();
  create_command->add_option("--member", options->members, "A further member; may be given several times")
      ->allow_extra_args(false);
  create_command->add_option("--title", options->title, "What people call it");
  create_command->callback([&context, options] { create(context, *options); });

  auto name = std::make_shared<std::string>();
  auto* show_command = conversation->add_subcommand("show", "Show a conversation and its members");
  show_command->add_option("NAME", *name, "g:… or dm:…:…")->required();
  show_command->callback([&context, name] { show(context, *name); });

  conversation->add_subcommand("list", "List all conversations")->callback([&context] { list(context); });
}

}  // namespace chat::ctl
