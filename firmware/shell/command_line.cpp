// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/command_line.hpp"

#include <algorithm>

#include "hal/base/text.hpp"

namespace berm::shell {
namespace {

// Reads one word that begins at `at`; leaves `at` behind it.
Result<std::string> read_word(std::string_view line, std::size_t& at) {
  std::string word;
  const bool quoted = line[at] == '"';
  if (quoted) ++at;
  while (at < line.size()) {
    const char c = line[at++];
    if (quoted ? c == '"' : c == ' ') return word;
    if (static_cast<unsigned char>(c) < 0x20) return fail(ErrorCode::invalid, "control character");
    if (quoted && c == '\\' && at < line.size()) {
      word += line[at++];
    } else {
      word += c;
    }
  }
  if (quoted) return fail(ErrorCode::invalid, "a quote is not closed");
  return word;
}

std::string list_commands(std::span<const Command> commands) {
  std::size_t width = 0;
  for (const Command& command : commands) width = std::max(width, command.usage.size());
  std::string text;
  for (const Command& command : commands) {
    text +=
        command.usage + std::string(width + 2 - command.usage.size(), ' ') + command.help + "\n";
  }
  return text;
}

// How many of `words` the verb takes up; 0: it is another one.
std::size_t match(const Command& command, std::span<const std::string> words) {
  const auto parts = split(command.verb, ' ');
  if (parts.size() > words.size()) return 0;
  return std::ranges::equal(parts, words.first(parts.size())) ? parts.size() : 0;
}

CommandAnswer unknown_verb(std::span<const Command> commands, const std::string& verb) {
  std::vector<std::string_view> known{"help"};
  for (const Command& command : commands) known.push_back(command.verb);
  const std::string_view near = nearest(verb, known);
  std::string text = "unknown command '" + verb + "'";
  if (!near.empty()) text += ", did you mean '" + std::string(near) + "'?";
  return {2, text + "\n"};
}

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < line.size()) {
    if (line[at] == ' ') {
      ++at;
      continue;
    }
    if (words.size() == kMaxWords) return fail(ErrorCode::invalid, "too many words");
    BERM_TRY(std::string word, read_word(line, at));
    words.push_back(std::move(word));
  }
  return words;
}

std::string join_words(std::span<const std::string> words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    line += '"';
    for (const char c : word) {
      if (c == '"' || c == '\\') line += '\\';
      line += c;
    }
    line += '"';
  }
  return line;
}

std::string format_answer(const CommandAnswer& answer) {
  return std::to_string(answer.exit_code) + " " + std::to_string(answer.text.size()) + "\n" +
         answer.text;
}

Result<std::optional<CommandAnswer>> parse_answer(std::string_view bytes) {
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() > 40) return fail(ErrorCode::invalid, "not an answer of berm");
    return std::optional<CommandAnswer>();
  }
  const auto words = split(bytes.substr(0, end), ' ');
  const auto code = words.size() == 2 ? parse_integer(words[0]) : std::nullopt;
  const auto length = words.size() == 2 ? parse_integer(words[1]) : std::nullopt;
  if (!code || !length || *length < 0) return fail(ErrorCode::invalid, "not an answer of berm");
  const std::string_view text = bytes.substr(end + 1);
  if (text.size() < static_cast<std::size_t>(*length)) return std::optional<CommandAnswer>();
  return std::optional(CommandAnswer{
      static_cast<int>(*code), std::string(text.substr(0, static_cast<std::size_t>(*length)))});
}

CommandAnswer run_command(std::span<const Command> commands, std::vector<std::string> words,
                          bool is_admin) {
  CommandRequest request;
  request.json = std::erase(words, "--json") > 0;
  request.is_admin = is_admin;
  if (words.empty()) return {2, "no command; try 'help'\n"};
  if (words.front() == "help") return {0, list_commands(commands)};
  const Command* chosen = nullptr;
  std::size_t taken = 0;
  for (const Command& command : commands) {
    const std::size_t count = match(command, words);
    if (count > taken) {
      chosen = &command;
      taken = count;
    }
  }
  if (chosen == nullptr) return unknown_verb(commands, words.front());
  if (chosen->changes && !is_admin) {
    return {1, chosen->verb + " changes things: that takes a member of group berm-admin\n"};
  }
  request.words.assign(words.begin() + static_cast<std::ptrdiff_t>(taken), words.end());
  return chosen->run(request);
}

}  // namespace berm::shell
