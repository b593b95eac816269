// SPDX-License-Identifier: Apache-2.0
// BootLoop: one boot of a simulated machine as a Loop over the loop of the whole simulated world.
// Its monotonic time begins anew with each boot; after `end` (power gone) none of its callbacks
// ever runs again. It also names the Witness, so that a driver made by a plain function finds it.
// BootEdgeInputs: the wires of the world, their edges stamped with this boot's time. Used by
// Cabinet only. Lifetime: world > boot > the agent's parts. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hal/edge_input.hpp"
#include "hal/loop.hpp"
#include "hal/sim/loop.hpp"

namespace berm::scenario {

class Witness;

class BootLoop final : public hal::Loop {
 public:
  BootLoop(hal::SimLoop& world, Witness& witness)
      : world_(world), witness_(witness), ahead_(world.now() - hal::SimLoop::kDefaultStart) {}
  BootLoop(const BootLoop&) = delete;
  BootLoop& operator=(const BootLoop&) = delete;
  ~BootLoop() override { end(); }

  MonoTime now() const override { return world_.now() - ahead_; }
  hal::TimerId at(MonoTime time, Callback callback) override;
  void cancel(hal::TimerId id) override { world_.cancel(id); }
  void post(Callback callback) override;

  void end() { *is_alive_ = false; }
  // The world's time minus this boot's.
  Microseconds ahead() const { return ahead_; }
  Witness& witness() const { return witness_; }

 private:
  hal::SimLoop& world_;
  Witness& witness_;
  const Microseconds ahead_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

class BootEdgeInputs final : public hal::EdgeInputs {
 public:
  BootEdgeInputs(hal::EdgeInputs& wires, Microseconds ahead) : wires_(wires), ahead_(ahead) {}
  Result<std::unique_ptr<hal::EdgeInput>> open(const std::vector<std::string>& signals) override;

 private:
  hal::EdgeInputs& wires_;
  const Microseconds ahead_;
};

}  // namespace berm::scenario
