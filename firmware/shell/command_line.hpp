// SPDX-License-Identifier: Apache-2.0
// What travels over the local socket. Request: one line, words separated by spaces, a word with
// spaces in double quotes (`\"` and `\\` inside). Answer: `EXIT_CODE LENGTH` on a line of its own,
// then LENGTH bytes of text. A connection carries as many requests as its owner likes, one after
// the other. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/command.hpp"
#include "hal/base/result.hpp"

namespace berm::shell {

inline constexpr std::size_t kMaxRequestBytes = 65536;
inline constexpr std::size_t kMaxWords = 64;

// Error invalid: an open quote, too many words, a control character.
Result<std::vector<std::string>> split_words(std::string_view line);
std::string join_words(std::span<const std::string> words);

std::string format_answer(const CommandAnswer& answer);
// nullopt: more bytes are needed. Error invalid: no answer of ours.
Result<std::optional<CommandAnswer>> parse_answer(std::string_view bytes);

// Runs the command the words name (the longest verb that matches), with `--json` taken out of them.
// An unknown verb names the nearest; `help` lists all.
CommandAnswer run_command(std::span<const Command> commands, std::vector<std::string> words,
                          bool is_admin);

}  // namespace berm::shell
