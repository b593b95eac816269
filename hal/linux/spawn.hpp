// SPDX-License-Identifier: Apache-2.0
// spawn: starts a program of its own, with limits, without a shell. Used by hal/linux for child
// processes (the camera worker) and for decoders.
//
// The child has its own process group, default signals, the given standard input, output and
// error, and no other descriptor of ours; it dies with the thread's process that started
// it (PR_SET_PDEATHSIG). Its own memory and CPU priority are bounded where asked. Nothing is
// allocated between fork and exec. Fails with the system's reason, also where the program cannot be
// run. Any thread; blocks until the program runs or is known not to.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "hal/base/result.hpp"

namespace berm::hal {

struct SpawnPlan {
  std::vector<std::string> words;  // the program (found in PATH without a slash) and its arguments
  int input = -1;                  // becomes standard input; -1: /dev/null
  int output = -1;                 // becomes standard output; -1: /dev/null
  int error = -1;                  // becomes standard error; -1: ours
  std::uint64_t memory_bytes = 0;  // private and writable; 0: as ours
  int nice = 0;                    // added to ours
};

Result<pid_t> spawn(const SpawnPlan& plan);

}  // namespace berm::hal
