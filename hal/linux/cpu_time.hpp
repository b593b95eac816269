// SPDX-License-Identifier: Apache-2.0
// CPU time of the calling thread, in seconds: what a piece of work cost, whatever else the machine
// did. For measuring only; never a clock of anything. Any thread.
#pragma once

#include <time.h>

namespace berm::hal {

inline double thread_cpu_s() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace berm::hal
