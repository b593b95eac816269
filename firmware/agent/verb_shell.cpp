// SPDX-License-Identifier: Apache-2.0
// `berm shell`: the diagnostics shell. On a terminal, lines are edited; with `-c`, or from another
// standard input, each line is one command, and the exit code is the last one's. Each command has
// a connection of its own, so that the shell outlives a restart of the agent.
#include <unistd.h>

#include <cstdio>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/line_editor.hpp"
#include "firmware/agent/shell_client.hpp"
#include "firmware/agent/verbs.hpp"
#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

constexpr const char* kPrompt = "berm> ";
constexpr ArgumentSpec kSpecs[] = {{"--command", true, "-c"}, {"--socket", true, "-S"}};

class Shell {
 public:
  explicit Shell(std::string socket) : socket_(std::move(socket)) {}

  // False: it was the last.
  bool run(std::string_view line) {
    line = trim(line);
    if (line.empty() || line.front() == '#') return true;
    if (line == "exit" || line == "quit") return false;
    const auto words = split(line, ' ');
    if (words[0] == "top") {
      code_ = watch_status(socket_, words.back() == "--json", loop_, interrupt_);
    } else {
      code_ = ask(line);
    }
    return true;
  }

  std::vector<std::string> complete(std::string_view before) {
    auto words = shell::split_words(before);
    if (!words) return {};
    if (before.empty() || before.back() == ' ') words->emplace_back();
    words->insert(words->begin(), "complete");
    auto client = ShellClient::open(socket_, loop_, interrupt_, kCompletionTimeout);
    if (!client) return {};
    const auto answer = client->ask(shell::join_words(*words));
    if (!answer) return {};
    std::vector<std::string> candidates;
    for (const std::string_view one : split(trim(answer->text), '\n')) {
      if (!one.empty()) candidates.push_back(printable(one));
    }
    return candidates;
  }

  bool can_reach() {
    const auto client = ShellClient::open(socket_, loop_, interrupt_, kCommandTimeout);
    if (!client) code_ = complain("shell", client.error().text, kFailed);
    return client.has_value();
  }

  void lines(LineEditor& editor) {
    while (true) {
      const auto line = editor.read();
      if (!line) {
        code_ = complain("shell", line.error().text, kBadUsage);
      } else if (!*line || !run(**line)) {
        return;
      }
    }
  }
  int code() const { return code_; }

 private:
  int ask(std::string_view line) {
    auto client = ShellClient::open(socket_, loop_, interrupt_, kCommandTimeout);
    if (!client) return complain("shell", client.error().text, kFailed);
    const auto code = client->ask(line, [](const CommandAnswer& piece, bool) { print(piece); });
    if (code) return *code;
    if (!client->is_interrupted()) return complain("shell", code.error().text, kFailed);
    return kDone;  // who ended it saw what was wanted
  }

  const std::string socket_;
  hal::EpollLoop loop_;
  Interrupt interrupt_{loop_};
  int code_ = kDone;
};

int interact(Shell& shell) {
  if (!shell.can_reach()) return shell.code();
  auto editor = load_line_editor(
      {kPrompt, history_path(), [&](std::string_view before) { return shell.complete(before); }});
  if (!editor) {
    complain("shell", editor.error().text + "; lines are not edited", kFailed);
    editor = plain_lines(kPrompt);
  }
  shell.lines(**editor);
  return kDone;
}

}  // namespace

int shell_verb(Words words) {
  const auto arguments = Arguments::parse(words, kSpecs, 0);
  if (!arguments) return complain("shell", arguments.error().text, kBadUsage);
  Shell shell(arguments->value("--socket", "BERM_SOCKET", kDefaultSocket));
  if (const auto command = arguments->value("--command")) {
    for (const std::string_view line : split(*command, '\n')) {
      if (!shell.run(line)) break;
    }
    return shell.code();
  }
  if (::isatty(STDIN_FILENO) == 1) return interact(shell);
  shell.lines(*plain_lines(""));
  return shell.code();
}

}  // namespace berm::agent
