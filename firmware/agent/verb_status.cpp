// SPDX-License-Identifier: Apache-2.0
// `berm status` and `berm shell -c`: ask the running agent over its local socket.
#include <unistd.h>

#include <csignal>

#include <cstdio>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/verbs.hpp"
#include "firmware/shell/command_line.hpp"
#include "hal/linux/loop.hpp"
#include "hal/linux/stream_client.hpp"

namespace berm::agent {
namespace {

constexpr Milliseconds kAnswerTimeout{5000};
constexpr Seconds kRedraw{1};

// One connection, as many questions as wanted.
class Conversation {
 public:
  static Result<Conversation> open(const std::string& socket) {
    BERM_TRY(hal::StreamClient client, hal::StreamClient::connect(socket, kAnswerTimeout));
    return Conversation(std::move(client));
  }

  Result<CommandAnswer> ask(std::string_view line) {
    BERM_CHECK(client_.send(std::string(line) + "\n", kAnswerTimeout));
    std::string bytes;
    while (true) {
      BERM_TRY(std::optional<CommandAnswer> answer, shell::parse_answer(bytes));
      if (answer) return std::move(*answer);
      BERM_TRY(std::string more, client_.receive(kAnswerTimeout));
      if (more.empty()) return fail(ErrorCode::closed, "the agent closed the connection");
      bytes += more;
    }
  }

 private:
  explicit Conversation(hal::StreamClient client) : client_(std::move(client)) {}
  hal::StreamClient client_;
};

int say(std::string_view verb, const Result<CommandAnswer>& answer) {
  if (!answer) return complain(verb, answer.error().text, kFailed);
  std::fputs(answer->text.c_str(), answer->exit_code == kDone ? stdout : stderr);
  return answer->exit_code;
}

// Redraws in place on a terminal, one line per interval otherwise, until interrupted or the agent
// ends.
int watch(Conversation& conversation) {
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  hal::EpollLoop loop;
  int code = kDone;
  const hal::SignalWatch signals(loop, {SIGINT, SIGTERM}, [&](int) { loop.stop(); });
  hal::Timer timer(loop);
  const std::function<void()> draw = [&] {
    const auto answer = conversation.ask(is_terminal ? "status" : "status --summary");
    // Home, then the lines, each cleared to its end, then all below: no flicker.
    if (is_terminal && answer) std::fputs("\x1b[H\x1b[J", stdout);
    code = say("status", answer);
    std::fflush(stdout);
    if (!answer) return loop.stop();
    timer.after(kRedraw, draw);
  };
  draw();
  loop.run();
  return code;
}

constexpr ArgumentSpec kStatusSpecs[] = {{"--json"}, {"--watch"}, {"--socket", true, "-S"}};
constexpr ArgumentSpec kShellSpecs[] = {{"--command", true, "-c"}, {"--socket", true, "-S"}};

}  // namespace

int status_verb(Words words) {
  const auto arguments = Arguments::parse(words, kStatusSpecs, 0);
  if (!arguments) return complain("status", arguments.error().text, kBadUsage);
  auto conversation =
      Conversation::open(arguments->value("--socket", "BERM_SOCKET", kDefaultSocket));
  if (!conversation) return complain("status", conversation.error().text, kFailed);
  if (arguments->has("--watch")) return watch(*conversation);
  return say("status", conversation->ask(arguments->has("--json") ? "status --json" : "status"));
}

int shell_verb(Words words) {
  const auto arguments = Arguments::parse(words, kShellSpecs, 0);
  if (!arguments) return complain("shell", arguments.error().text, kBadUsage);
  const auto command = arguments->value("--command");
  if (!command) return complain("shell", "usage: berm shell -c 'COMMAND' [-S SOCKET]", kBadUsage);
  auto conversation =
      Conversation::open(arguments->value("--socket", "BERM_SOCKET", kDefaultSocket));
  if (!conversation) return complain("shell", conversation.error().text, kFailed);
  return say("shell", conversation->ask(*command));
}

}  // namespace berm::agent
