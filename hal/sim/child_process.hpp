// SPDX-License-Identifier: Apache-2.0
// PlayedProcesses: ChildProcess where a test plays the child. `last()` is the child made last:
// `say` gives a piece of its output, `finish` ends it; both are delivered in the loop's next turn,
// through the same splitter as in linux/. A plan named by `refuse_next` cannot be started. Loop
// thread; outlives its children.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hal/child_process.hpp"
#include "hal/loop.hpp"

namespace berm::hal {

class PlayedProcess;

class PlayedProcesses final : public ChildProcesses {
 public:
  explicit PlayedProcesses(Loop& loop) : loop_(loop) {}
  std::unique_ptr<ChildProcess> make(ChildPlan plan) override;

  // nullptr where no child lives.
  PlayedProcess* last() { return last_; }
  std::size_t started() const { return started_; }
  void refuse_next(std::size_t count) { refusals_ = count; }

 private:
  friend class PlayedProcess;
  Loop& loop_;
  PlayedProcess* last_ = nullptr;
  std::size_t started_ = 0;
  std::size_t refusals_ = 0;
};

class PlayedProcess final : public ChildProcess {
 public:
  PlayedProcess(PlayedProcesses& family, ChildPlan plan);
  ~PlayedProcess() override;
  Result<void> start(OnLine on_line, OnEnd on_end) override;
  void end() override;
  bool is_running() const override { return is_running_; }
  std::int64_t pid() const override { return is_running_ ? 1 : 0; }

  const ChildPlan& plan() const { return plan_; }
  void say(std::string bytes);
  void finish(std::string how);

 private:
  struct Talk;
  PlayedProcesses& family_;
  ChildPlan plan_;
  std::shared_ptr<Talk> talk_;
  bool is_running_ = false;
};

}  // namespace berm::hal
