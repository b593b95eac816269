// SPDX-License-Identifier: Apache-2.0
// What the shell knows about its commands itself: their list, and what may stand next in a line
// that is being typed. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hal/base/command.hpp"

namespace berm::shell {

// All commands, or those whose verb begins with the words; JSON: an array.
CommandAnswer help(std::span<const Command> commands, std::span<const std::string> words,
                   bool json);

// The candidates for the last of the words (which may be empty), each once, in order, one a line;
// at most kMaxCandidates. Always exit code 0.
CommandAnswer complete(std::span<const Command> commands, std::span<const std::string> words);

std::string needs_admin(std::string_view verb);

}  // namespace berm::shell
