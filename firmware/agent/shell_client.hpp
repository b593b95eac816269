// SPDX-License-Identifier: Apache-2.0
// ShellClient: one connection to a running agent's local socket, for the verbs `status` and
// `shell`. It waits on a loop of its own, so that Ctrl-C ends what it waits for. Made, used and
// dropped within one verb; main's thread only.
//
// Promises: an answer must begin within `timeout`; one in pieces may then go on for ever. Fails: by
// Error unavailable (nobody listens), timeout, closed (`is_interrupted`: by Ctrl-C or by whatever
// else stopped the loop), invalid (not an agent). After an Error it is of no more use.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "firmware/shell/command_line.hpp"
#include "hal/base/result.hpp"
#include "hal/linux/loop.hpp"
#include "hal/linux/stream_client.hpp"

namespace berm::agent {

inline constexpr Milliseconds kStatusTimeout{5000};
inline constexpr Milliseconds kCommandTimeout{30'000};  // some wait for the disk
inline constexpr Milliseconds kCompletionTimeout{1000};

// Ends what the verb waits for, by Ctrl-C. One per verb, made before it asks anything: from then on
// Ctrl-C does nothing else.
class Interrupt {
 public:
  explicit Interrupt(hal::EpollLoop& loop);
  bool take() { return std::exchange(is_given_, false); }

 private:
  bool is_given_ = false;
  hal::SignalWatch watch_;
};

class ShellClient {
 public:
  static Result<ShellClient> open(const std::string& socket, hal::EpollLoop& loop,
                                  Interrupt& interrupt, Milliseconds timeout);
  // The whole answer.
  Result<CommandAnswer> ask(std::string_view line);
  // Each piece as it comes; the exit code at the end. A piece that goes on is 0 and `is_last`
  // false.
  using Take = std::function<void(const CommandAnswer& piece, bool is_last)>;
  Result<int> ask(std::string_view line, const Take& take);
  bool is_interrupted() const { return is_interrupted_; }

 private:
  ShellClient(hal::StreamClient client, hal::EpollLoop& loop, Interrupt& interrupt,
              Milliseconds timeout)
      : client_(std::move(client)), loop_(loop), interrupt_(interrupt), timeout_(timeout) {}
  Result<std::string> receive(bool has_begun);

  hal::StreamClient client_;
  hal::EpollLoop& loop_;
  Interrupt& interrupt_;
  Milliseconds timeout_;
  bool is_interrupted_ = false;
};

// As a terminal may be given it: without the control characters that would steer it.
std::string printable(std::string_view text);
// Printed to standard output, or to standard error where the command failed.
void print(const CommandAnswer& answer);

// Asks once a second and draws each answer over the one before until `q`, Ctrl-C or SIGTERM; on
// anything but a terminal, one line or document after the other.
int watch_status(const std::string& socket, bool json, hal::EpollLoop& loop, Interrupt& interrupt);

}  // namespace berm::agent
