// SPDX-License-Identifier: Apache-2.0
// Command: something a person or a remote operator may ask a component for. A module fills its own
// rows; shell, local HTTP and remote control only run what they are handed. `run` is called on the
// loop and must return at once; a long job answers first and reports through Status.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berm {

struct CommandRequest {
  std::vector<std::string> words;  // without the verb
  bool json = false;
  bool is_admin = false;  // may change things
};

struct CommandAnswer {
  int exit_code = 0;  // 0 done, 1 failed, 2 bad usage
  std::string text;   // ends with a newline unless empty
};

struct Command {
  std::string verb;      // "uplinks", "config show"
  std::string usage;     // "lanes [NAME]"
  std::string help;      // one line
  bool changes = false;  // needs is_admin
  std::function<CommandAnswer(const CommandRequest&)> run;
};

}  // namespace berm
