// SPDX-License-Identifier: Apache-2.0
// StreamClient: the other end of a local stream socket, for the verbs that ask a running agent
// (`berm status`, `berm shell -c`). It blocks: for short-lived programs only, never on the loop.
//
// Promises: no call waits longer than its timeout (of each step, not of the whole); an answer
// beyond `max_bytes` is Error full. Nobody listens: Error unavailable, with the path. Thread: one.
// Fails: by Error; unavailable, permission, timeout, full, closed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "hal/base/result.hpp"
#include "hal/base/time.hpp"
#include "hal/base/unique_fd.hpp"

namespace berm::hal {

class StreamClient {
 public:
  static Result<StreamClient> connect(const std::string& path, Milliseconds timeout);
  Result<void> send(std::string_view bytes, Milliseconds timeout);
  // The next piece; empty: the other side has ended the connection.
  Result<std::string> receive(Milliseconds timeout);
  // For poll beside a terminal.
  int fd() const { return fd_.get(); }

 private:
  explicit StreamClient(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// One question, one answer: sends `line` with a newline, reads until the other side closes.
Result<std::string> ask(const std::string& path, std::string_view line, Milliseconds timeout,
                        std::size_t max_bytes);

}  // namespace berm::hal
