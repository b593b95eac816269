// SPDX-License-Identifier: Apache-2.0
// GpioEdgeInputs: EdgeInputs over the kernel's GPIO lines. The board's folder says which wire is
// which line; main makes one of it with plain structs and hands it to the drivers' host.
//
// Promises: those of GpioReader (gpio_reader.hpp). A group of wires costs one thread (about 10 kB)
// and its queue (64 kB). The lines are taken from the kernel in `open`; edges before `start` are
// not told, but the levels at `start` are. Status: up, lines, edges_total, edges_lost_total.
//
// Thread: the loop's. Lifetime: loop and chips outlive this, this its inputs; an input does not die
// inside its own callbacks.
// Fails in `open`: not_found (a signal without a wire, no such chip), exists (a signal opened
// already), unavailable or exists (the line is used by another program), invalid (settings).
// Afterwards by on_state(false); it comes back by itself.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hal/edge_input.hpp"
#include "hal/linux/gpio_chip.hpp"
#include "hal/linux/loop.hpp"

namespace berm::hal {

struct GpioSignal {
  std::string name;  // of the configuration's `signals`
  std::string chip;  // device, name or label
  GpioLineConfig line;
};

class GpioEdgeInputs final : public EdgeInputs {
 public:
  // A name that stands twice in `signals` is a broken invariant: the configuration is keyed by it.
  GpioEdgeInputs(EpollLoop& loop, GpioChips& chips, std::vector<GpioSignal> signals);
  GpioEdgeInputs(const GpioEdgeInputs&) = delete;
  GpioEdgeInputs& operator=(const GpioEdgeInputs&) = delete;
  ~GpioEdgeInputs() override;
  Result<std::unique_ptr<EdgeInput>> open(const std::vector<std::string>& signals) override;

 private:
  EpollLoop& loop_;
  GpioChips& chips_;
  const std::vector<GpioSignal> signals_;
  std::set<std::string> open_signals_;
};

}  // namespace berm::hal
