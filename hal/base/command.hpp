// SPDX-License-Identifier: Apache-2.0
// Command: something a person or a remote operator may ask a component for. A module fills its own
// rows; shell, local HTTP and remote control only run what they are handed. `run` is called on the
// loop and must return at once. What takes its time (a disk, a receiver) or goes on for ever gives
// `run_later` instead: it returns at once too, and answers through the CommandReply it was given.
// Loop thread only. Who asked may go before the answer is there: then what is sent is dropped.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
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

// The way back to who asked. Kept as long as its command likes.
class CommandReply {
 public:
  virtual ~CommandReply() = default;
  // False: who asked has gone, or `end` was called. Nothing more is wanted.
  virtual bool is_open() const = 0;
  // What was sent and not yet taken by who asked: a command that goes on skips, and says so, before
  // this grows without end.
  virtual std::size_t unsent_bytes() const = 0;
  // A piece of the answer; more follows.
  virtual void more(std::string_view text) = 0;
  // The last of it, once.
  virtual void end(CommandAnswer answer) = 0;
};

struct Command {
  std::string verb;      // "uplinks", "config show"
  std::string usage;     // "lanes [NAME]"
  std::string help;      // one line
  bool changes = false;  // needs is_admin
  std::function<CommandAnswer(const CommandRequest&)> run;
  // In place of `run`.
  std::function<void(const CommandRequest&, std::shared_ptr<CommandReply>)> run_later;
  // What may stand as the word after the verb, for completion; empty: nothing is offered.
  std::function<std::vector<std::string>()> choices;
};

}  // namespace berm
