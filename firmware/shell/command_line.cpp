// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/command_line.hpp"

#include <algorithm>

#include "firmware/shell/help.hpp"
#include "hal/base/text.hpp"

namespace berm::shell {
namespace {

constexpr std::size_t kMaxHeadBytes = 32;  // of an answer's part
constexpr std::int64_t kMaxExitCode = 255;

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

// How many of `words` the verb takes up; 0: it is another one.
std::size_t match(const Command& command, std::span<const std::string> words) {
  const auto parts = split(command.verb, ' ');
  if (parts.size() > words.size()) return 0;
  return std::ranges::equal(parts, words.first(parts.size())) ? parts.size() : 0;
}

// A verb of two words is compared as a whole: `set-aside lst` is near `set-aside list`.
CommandAnswer unknown_verb(std::span<const Command> commands, std::span<const std::string> words) {
  std::vector<std::string_view> known{"help", "exit"};
  for (const Command& command : commands) known.push_back(command.verb);
  const std::string both = words.size() > 1 ? words[0] + " " + words[1] : words[0];
  const bool is_first_known = std::ranges::any_of(
      known, [&](std::string_view verb) { return verb.starts_with(words[0] + " "); });
  const std::string& meant = is_first_known ? both : words[0];
  const std::string_view near = nearest(meant, known);
  std::string text = "unknown command '" + meant + "'";
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

std::string format_more(std::string_view text) {
  return "- " + std::to_string(text.size()) + "\n" + std::string(text);
}

Result<std::optional<AnswerPart>> parse_answer(std::string_view bytes) {
  const Error stranger{ErrorCode::invalid, "not an answer of berm"};
  const auto end = bytes.substr(0, kMaxHeadBytes).find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() >= kMaxHeadBytes) return fail(stranger);
    return std::optional<AnswerPart>();
  }
  const auto words = split(bytes.substr(0, end), ' ');
  if (words.size() != 2) return fail(stranger);
  AnswerPart part;
  part.is_last = words[0] != "-";
  const auto code = part.is_last ? parse_integer(words[0]) : 0;
  const auto length = parse_integer(words[1]);
  if (!code || *code < 0 || *code > kMaxExitCode) return fail(stranger);
  if (!length || *length < 0 || *length > static_cast<std::int64_t>(kMaxAnswerBytes)) {
    return fail(stranger);
  }
  const auto size = static_cast<std::size_t>(*length);
  if (bytes.size() - end - 1 < size) return std::optional<AnswerPart>();
  part.answer = {static_cast<int>(*code), std::string(bytes.substr(end + 1, size))};
  part.bytes = end + 1 + size;
  return std::optional(std::move(part));
}

Selection select_command(std::span<const Command> commands, std::vector<std::string> words,
                         bool is_admin) {
  Selection selection;
  if (!words.empty() && words.front() == "complete") {
    selection.answer = complete(commands, std::span(words).subspan(1));
    return selection;
  }
  CommandRequest& request = selection.request;
  request.json = std::erase(words, "--json") > 0;
  request.is_admin = is_admin;
  const auto say = [&](CommandAnswer answer) {
    selection.answer = std::move(answer);
    return std::move(selection);
  };
  if (words.empty()) return say({2, "no command; try 'help'\n"});
  if (words.front() == "help") {
    return say(help(commands, std::span(words).subspan(1), request.json));
  }
  const Command* chosen = nullptr;
  std::size_t taken = 0;
  for (const Command& command : commands) {
    const std::size_t count = match(command, words);
    if (count <= taken) continue;
    chosen = &command;
    taken = count;
  }
  if (chosen == nullptr) return say(unknown_verb(commands, words));
  if (chosen->changes && !is_admin) return say({1, needs_admin(chosen->verb)});
  request.words.assign(words.begin() + static_cast<std::ptrdiff_t>(taken), words.end());
  selection.command = chosen;
  return selection;
}

}  // namespace berm::shell
