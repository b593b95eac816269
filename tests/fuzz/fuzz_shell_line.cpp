// SPDX-License-Identifier: Apache-2.0
// Any bytes as requests of the shell, and as the agent's answer: words survive being joined and
// split again, every line finds a command or an error, and an answer is read as it was written.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/shell/command_line.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace {

using berm::Command;
using berm::CommandAnswer;
using berm::CommandRequest;

std::vector<Command> commands() {
  const auto echo = [](const CommandRequest& request) {
    return CommandAnswer{0, berm::shell::join_words(request.words) + "\n"};
  };
  std::vector<Command> all{{"status", "status", "", false, echo},
                           {"set-aside list", "set-aside list", "", false, echo},
                           {"set-aside requeue", "set-aside requeue N", "", true, echo},
                           {"tail", "tail STREAM", "", false, echo}};
  all.back().choices = [] { return std::vector<std::string>{"traffic.lane", "position"}; };
  return all;
}

void ask(std::string_view line, bool is_admin) {
  const auto words = berm::shell::split_words(line);
  if (!words) return;
  BERM_ASSERT(words->size() <= berm::shell::kMaxWords);
  const auto again = berm::shell::split_words(berm::shell::join_words(*words));
  BERM_ASSERT(again.has_value() && *again == *words);
  const std::vector<Command> known = commands();
  const auto chosen = berm::shell::select_command(known, *words, is_admin);
  BERM_ASSERT(chosen.command == nullptr || is_admin || !chosen.command->changes);
  const CommandAnswer answer =
      chosen.command == nullptr ? chosen.answer : chosen.command->run(chosen.request);
  const std::string bytes = berm::shell::format_answer(answer);
  const auto part = berm::shell::parse_answer(bytes);
  BERM_ASSERT(part.has_value() && part->has_value() && (*part)->bytes == bytes.size());
  BERM_ASSERT((*part)->answer.text == answer.text && (*part)->is_last);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  std::size_t lines = 0;
  for (const std::string_view line : berm::split(text, '\n')) {
    if (++lines > 64) break;
    ask(line, lines % 2 == 0);
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto part = berm::shell::parse_answer(rest);
    if (!part || !part->has_value()) break;
    BERM_ASSERT((*part)->bytes > 0 && (*part)->bytes <= rest.size());
    rest.remove_prefix((*part)->bytes);
  }
  return 0;
}
