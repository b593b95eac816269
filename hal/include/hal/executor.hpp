// SPDX-License-Identifier: Apache-2.0
// Executor: serial work off the loop (all disk work of the node, one job after another, in order).
// linux/: one thread; sim/: on the loop when the job's turn begins, `done` after scripted
// latency. `submit` is called on the loop; `work` runs on the executor; `done` runs on the loop, in
// order of submission. False: more than `max_queued` jobs wait, nothing was taken (the caller
// counts the loss). Destruction waits for the job in hand, drops those not begun, and calls no
// further `done`.
#pragma once

#include <cstddef>
#include <functional>

namespace berm::hal {

class Executor {
 public:
  virtual ~Executor() = default;
  virtual bool submit(std::function<void()> work, std::function<void()> done) = 0;
  virtual std::size_t queued() const = 0;  // submitted, `done` not yet called
};

}  // namespace berm::hal
