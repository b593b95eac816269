// SPDX-License-Identifier: Apache-2.0
// `top` and `berm status --watch`: the status, drawn anew each second.
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "firmware/agent/shell_client.hpp"
#include "firmware/agent/verbs.hpp"
#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

constexpr Seconds kRedraw{1};

// Keys come one by one and are not shown, until it dies.
class KeysOneByOne {
 public:
  KeysOneByOne() {
    if (::isatty(STDIN_FILENO) != 1 || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios changed = before_;
    changed.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    changed.c_cc[VMIN] = 0;
    changed.c_cc[VTIME] = 0;
    is_changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &changed) == 0;
  }
  KeysOneByOne(const KeysOneByOne&) = delete;
  KeysOneByOne& operator=(const KeysOneByOne&) = delete;
  ~KeysOneByOne() {
    if (is_changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  bool is_active() const { return is_changed_; }

 private:
  termios before_{};
  bool is_changed_ = false;
};

std::size_t terminal_rows() {
  winsize size{};
  const bool is_known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;
  return is_known ? size.ws_row : 1000;
}

// From the top left corner, each line cleared to its end, then all below: no flicker. What does
// not fit is left out, so that nothing scrolls.
void draw_over(const std::string& text) {
  std::string out = "\x1b[H";
  std::size_t rows = terminal_rows() - 1;
  for (const std::string_view line : split(text, '\n')) {
    if (rows-- == 0) break;
    out.append(line).append("\x1b[K\n");
  }
  out += "\x1b[J";
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

bool is_end_key() {
  std::array<char, 64> keys{};
  const ssize_t count = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (count <= 0) return count == 0;
  const std::string_view typed(keys.data(), static_cast<std::size_t>(count));
  return typed.find_first_of("qQ\x04") != std::string_view::npos;
}

class StatusWatch {
 public:
  StatusWatch(ShellClient& client, bool json) : client_(client), json_(json) {}

  // False: it is over.
  bool draw() {
    const bool is_drawn = is_terminal_ && !json_;
    const auto answer = client_.ask(json_      ? "status --json"
                                    : is_drawn ? "status"
                                               : "status --summary");
    if (!answer) {
      if (!client_.is_interrupted()) code_ = complain("status", answer.error().text, kFailed);
      return false;
    }
    code_ = answer->exit_code;
    if (is_drawn && code_ == 0) {
      draw_over(printable(answer->text));
    } else {
      print(*answer);
    }
    return std::ferror(stdout) == 0;
  }
  int code() const { return code_; }

 private:
  ShellClient& client_;
  const bool json_;
  const bool is_terminal_ = ::isatty(STDOUT_FILENO) == 1;
  int code_ = kDone;
};

// Afterwards SIGTERM is again what it was.
void unblock_termination() {
  sigset_t termination;
  sigemptyset(&termination);
  sigaddset(&termination, SIGTERM);
  pthread_sigmask(SIG_UNBLOCK, &termination, nullptr);
}

}  // namespace

int watch_status(const std::string& socket, bool json, hal::EpollLoop& loop, Interrupt& interrupt) {
  auto client = ShellClient::open(socket, loop, interrupt, kStatusTimeout);
  if (!client) return complain("status", client.error().text, kFailed);
  StatusWatch status(*client, json);
  if (::isatty(STDOUT_FILENO) == 1 && !json) std::fputs("\x1b[H\x1b[J", stdout);
  {
    const KeysOneByOne keys;
    bool is_over = false;
    const auto end = [&] {
      is_over = true;
      loop.stop();
    };
    const hal::SignalWatch termination(loop, {SIGTERM}, [&](int) { end(); });
    hal::FdWatch typed;
    if (keys.is_active()) {
      typed = loop.watch(STDIN_FILENO, {.read = true}, [&](hal::FdEvents) {
        if (is_end_key()) end();
      });
    }
    hal::Timer timer(loop);
    while (!is_over && status.draw() && !is_over) {
      bool is_due = false;
      timer.after(kRedraw, [&] {
        is_due = true;
        loop.stop();
      });
      while (!is_due && !is_over && !interrupt.take()) loop.run();
      if (!is_due) break;
    }
  }
  unblock_termination();
  return status.code();
}

}  // namespace berm::agent
