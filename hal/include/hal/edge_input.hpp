// SPDX-License-Identifier: Apache-2.0
// EdgeInput: level changes of the wires that belong to one driver. linux/: kernel GPIO uAPI v2
// (kernel stamps, reader thread, bounded queue); sim/: a recording or generated traffic. Edges
// arrive on the loop in batches, per line in order of time. `lost_before` > 0 says that so many
// edges of this line were lost before this one (line_seqno jump, queue overflow): the state is
// known again from here on. An edge that `tells_state` is no change of the wire but its level as
// read, at the start and when a source is back: when it came to be so, nobody saw. A source that
// fails or comes back says so by `on_state`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hal/base/result.hpp"
#include "hal/base/status.hpp"
#include "hal/base/time.hpp"

namespace berm::hal {

struct Edge {
  MonoTime time;
  std::uint32_t resolution_us = 1;  // the stamp may be late by up to this
  std::uint32_t lost_before = 0;
  std::uint16_t line = 0;  // index into the names the input was opened with
  bool on = false;
  bool tells_state = false;
};

class EdgeInput {
 public:
  virtual ~EdgeInput() = default;
  using OnEdges = std::function<void(std::span<const Edge>)>;
  // `is_up` false: the wires cannot be read since `since` (card gone, device error).
  using OnState = std::function<void(bool is_up, MonoTime since)>;
  // Begins delivery, first with one edge per line that is on now. Once per object.
  virtual Result<void> start(OnEdges on_edges, OnState on_state) = 0;
  virtual Status status() const = 0;
};

// Opens groups of wires by the names of the configuration's `signals`. A signal belongs to one
// driver: opening it twice is an Error `exists`.
class EdgeInputs {
 public:
  virtual ~EdgeInputs() = default;
  virtual Result<std::unique_ptr<EdgeInput>> open(const std::vector<std::string>& signals) = 0;
};

}  // namespace berm::hal
