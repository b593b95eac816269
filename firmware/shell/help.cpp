// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/help.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "firmware/shell/limits.hpp"
#include "hal/base/json_writer.hpp"
#include "hal/base/text.hpp"

namespace berm::shell {
namespace {

struct Row {
  std::string_view verb;
  std::string_view usage;
  std::string_view help;
  bool changes = false;
};

constexpr Row kOwn[] = {{"help", "help [VERB]", "this list"},
                        {"exit", "exit", "ends the shell, as Ctrl-D does"}};

std::vector<Row> rows_of(std::span<const Command> commands) {
  std::vector<Row> rows(std::begin(kOwn), std::end(kOwn));
  for (const Command& command : commands) {
    rows.push_back({command.verb, command.usage, command.help, command.changes});
  }
  return rows;
}

// `line` begins with the words: "set-aside" is the begin of "set-aside list".
bool begins_with(std::string_view verb, std::span<const std::string> words) {
  const auto parts = split(verb, ' ');
  return words.size() <= parts.size() && std::equal(words.begin(), words.end(), parts.begin());
}

std::string rows_as_json(std::span<const Row> rows) {
  std::string text = "[";
  for (const Row& row : rows) {
    text += text.size() > 1 ? ",{" : "{";
    const std::pair<std::string_view, std::string_view> members[] = {
        {"verb", row.verb}, {"usage", row.usage}, {"help", row.help}};
    for (const auto& [name, value] : members) {
      append_json_string(text, name);
      text += ':';
      append_json_string(text, value);
      text += ',';
    }
    text += row.changes ? "\"changes\":true}" : "\"changes\":false}";
  }
  return text + "]\n";
}

// What may follow `before`: the next words of verbs, and what a whole verb takes.
void collect(const Command& command, std::span<const std::string> before,
             std::set<std::string>& found) {
  const auto parts = split(command.verb, ' ');
  if (parts.size() > before.size()) {
    if (begins_with(command.verb, before)) found.emplace(parts[before.size()]);
    return;
  }
  if (!std::equal(parts.begin(), parts.end(), before.begin())) return;
  found.emplace("--json");
  if (parts.size() < before.size() || !command.choices) return;
  for (std::string& choice : command.choices()) found.insert(std::move(choice));
}

}  // namespace

CommandAnswer help(std::span<const Command> commands, std::span<const std::string> words,
                   bool json) {
  std::vector<Row> rows = rows_of(commands);
  std::erase_if(rows, [&](const Row& row) { return !begins_with(row.verb, words); });
  if (json) return {0, rows_as_json(rows)};
  if (rows.empty()) return {1, "no command of that name\n"};
  std::size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.usage.size());
  std::string text;
  for (const Row& row : rows) {
    text.append(row.usage).append(width + 2 - row.usage.size(), ' ').append(row.help);
    text += row.changes ? " (berm-admin)\n" : "\n";
  }
  return {0, text};
}

CommandAnswer complete(std::span<const Command> commands, std::span<const std::string> words) {
  if (words.empty()) return {0, ""};
  const auto before = words.first(words.size() - 1);
  const std::string& begin = words.back();
  std::set<std::string> found;
  if (before.empty()) {
    for (const Row& row : kOwn) found.emplace(row.verb);
  }
  for (const Command& command : commands) collect(command, before, found);
  if (begin.empty()) found.erase("--json");
  std::string text;
  std::size_t count = 0;
  for (const std::string& candidate : found) {
    if (!candidate.starts_with(begin) || candidate.find(' ') != std::string::npos) continue;
    if (++count > kMaxCandidates) break;
    text += candidate + "\n";
  }
  return {0, text};
}

std::string needs_admin(std::string_view verb) {
  return std::string(verb) + " changes things: that takes a member of group berm-admin\n";
}

}  // namespace berm::shell
