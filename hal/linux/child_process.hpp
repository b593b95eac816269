// SPDX-License-Identifier: Apache-2.0
// SpawnedProcesses: ChildProcess by fork and exec (spawn.hpp). Its pipe is watched by the loop; its
// standard error is ours (the journal). Promises and failures: hal/child_process.hpp. Loop thread.
#pragma once

#include <memory>

#include "hal/child_process.hpp"
#include "hal/linux/loop.hpp"

namespace berm::hal {

class SpawnedProcesses final : public ChildProcesses {
 public:
  explicit SpawnedProcesses(EpollLoop& loop) : loop_(loop) {}
  std::unique_ptr<ChildProcess> make(ChildPlan plan) override;

 private:
  EpollLoop& loop_;
};

}  // namespace berm::hal
