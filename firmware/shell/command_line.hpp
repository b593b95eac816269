// SPDX-License-Identifier: Apache-2.0
// What travels over the local socket. Request: one line, words separated by spaces, a word with
// spaces in double quotes (`\"` and `\\` inside). Answer: one part or several; a part is a line
// `EXIT_CODE LENGTH`, then LENGTH bytes of text; with `-` for the exit code, more parts follow. A
// connection carries as many requests as its owner likes, one after the other; answers come in
// their order. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/shell/limits.hpp"
#include "hal/base/command.hpp"
#include "hal/base/result.hpp"

namespace berm::shell {

// Error invalid: an open quote, too many words, a control character.
Result<std::vector<std::string>> split_words(std::string_view line);
std::string join_words(std::span<const std::string> words);

std::string format_answer(const CommandAnswer& answer);
// A piece of an answer that goes on.
std::string format_more(std::string_view text);

struct AnswerPart {
  CommandAnswer answer;  // exit_code: of the last part only
  bool is_last = true;
  std::size_t bytes = 0;  // it took of what was given
};
// nullopt: more bytes are needed. Error invalid: no answer of ours.
Result<std::optional<AnswerPart>> parse_answer(std::string_view bytes);

// What a line asks for: a command of `commands` to be run with `request`, or what is known at once.
struct Selection {
  const Command* command = nullptr;
  CommandRequest request;
  CommandAnswer answer;  // where there is no command
};

// The command the words name (the longest verb that matches), with `--json` taken out of them. Our
// own: `help [VERB]` lists commands, `complete WORD…` the candidates for the last word, one a line.
// An unknown verb names the nearest; one that changes things is refused to who is no admin.
Selection select_command(std::span<const Command> commands, std::vector<std::string> words,
                         bool is_admin);

}  // namespace berm::shell
