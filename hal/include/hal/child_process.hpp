// SPDX-License-Identifier: Apache-2.0
// ChildProcess: a program of our own that works for a driver in a process of its own and says what
// it finds in lines. linux/: fork and exec with limits; sim/: a test plays the child. What the
// child does, even dying, freezing or babbling, costs the loop only bounded work: at most
// kMaxChildTurnBytes are read per turn, a line is at most kMaxChildLine bytes (a longer one is told
// once, cut, as not whole), and nothing waits for the child. Whether it is restarted is the
// driver's decision. Delivery on the loop, never inside `start`; nothing after `end` or
// destruction, which kill the child. Fails at `start` where the program cannot be run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/result.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxChildLine = 256;
inline constexpr std::size_t kMaxChildTurnBytes = 65536;
inline constexpr std::size_t kMaxChildInput = 32768;

struct ChildPlan {
  std::vector<std::string> words;  // the program and its arguments; a name without slash is ours,
                                   // beside the agent's own program
  std::string input;               // what it reads first, at most kMaxChildInput; then the end
  std::uint64_t memory_bytes = 0;  // private and writable; 0: no limit of its own
  int nice = 0;                    // 0…19
};

class ChildProcess {
 public:
  virtual ~ChildProcess() = default;
  // `is_whole` false: the line was longer, or damaged by the end of the child.
  using OnLine = std::function<void(std::string_view line, bool is_whole)>;
  // Once, after the last line: "ended with 1", "killed by signal 9".
  using OnEnd = std::function<void(const std::string& how)>;
  // Once per object.
  virtual Result<void> start(OnLine on_line, OnEnd on_end) = 0;
  // Kills it, without a further word.
  virtual void end() = 0;
  virtual bool is_running() const = 0;
  // 0: none.
  virtual std::int64_t pid() const = 0;
};

class ChildProcesses {
 public:
  virtual ~ChildProcesses() = default;
  virtual std::unique_ptr<ChildProcess> make(ChildPlan plan) = 0;
};

}  // namespace berm::hal
