// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/shell_client.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace berm::agent {

Interrupt::Interrupt(hal::EpollLoop& loop)
    : watch_(loop, {SIGINT}, [this, &loop](int) {
        is_given_ = true;
        loop.stop();
      }) {}

Result<ShellClient> ShellClient::open(const std::string& socket, hal::EpollLoop& loop,
                                      Interrupt& interrupt, Milliseconds timeout) {
  BERM_TRY(hal::StreamClient client, hal::StreamClient::connect(socket, timeout));
  return ShellClient(std::move(client), loop, interrupt, timeout);
}

// The next bytes; Error timeout only before the answer has begun.
Result<std::string> ShellClient::receive(bool has_begun) {
  bool is_readable = false;
  bool is_late = false;
  const hal::FdWatch watch = loop_.watch(client_.fd(), {.read = true}, [&](hal::FdEvents) {
    is_readable = true;
    loop_.stop();
  });
  hal::Timer timer(loop_);
  const auto on_late = [&] {
    is_late = true;
    loop_.stop();
  };
  if (!has_begun) timer.after(timeout_, on_late);
  loop_.run();
  is_interrupted_ = interrupt_.take() || (!is_readable && !is_late);
  if (is_interrupted_) return fail(ErrorCode::closed, "interrupted");
  if (!is_readable) return fail(ErrorCode::timeout, "the agent does not answer");
  BERM_TRY(std::string bytes, client_.receive(timeout_));
  if (bytes.empty()) return fail(ErrorCode::closed, "the agent closed the connection");
  return bytes;
}

Result<int> ShellClient::ask(std::string_view line, const Take& take) {
  BERM_CHECK(client_.send(std::string(line) + "\n", timeout_));
  std::string bytes;
  bool has_begun = false;
  while (true) {
    BERM_TRY(const std::optional<shell::AnswerPart> part, shell::parse_answer(bytes));
    if (part) {
      bytes.erase(0, part->bytes);
      take(part->answer, part->is_last);
      if (part->is_last) return part->answer.exit_code;
      has_begun = true;
      continue;
    }
    BERM_TRY(const std::string more, receive(has_begun));
    bytes += more;
  }
}

Result<CommandAnswer> ShellClient::ask(std::string_view line) {
  CommandAnswer whole;
  BERM_TRY(whole.exit_code,
           ask(line, [&](const CommandAnswer& piece, bool) { whole.text += piece.text; }));
  return whole;
}

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool steers = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
    safe += steers ? '?' : c;
  }
  return safe;
}

void print(const CommandAnswer& answer) {
  std::FILE* const out = answer.exit_code == 0 ? stdout : stderr;
  const bool is_terminal = ::isatty(::fileno(out)) == 1;
  const std::string text = is_terminal ? printable(answer.text) : answer.text;
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
}

}  // namespace berm::agent
