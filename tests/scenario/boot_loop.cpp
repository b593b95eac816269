// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/boot_loop.hpp"

#include <utility>

namespace berm::scenario {
namespace {

class BootEdgeInput final : public hal::EdgeInput {
 public:
  BootEdgeInput(std::unique_ptr<hal::EdgeInput> wires, Microseconds ahead)
      : wires_(std::move(wires)), ahead_(ahead) {}

  Result<void> start(OnEdges on_edges, OnState on_state) override {
    return wires_->start(
        [this, on_edges = std::move(on_edges)](std::span<const hal::Edge> edges) {
          stamped_.assign(edges.begin(), edges.end());
          for (hal::Edge& edge : stamped_) edge.time -= ahead_;
          on_edges(stamped_);
        },
        [this, on_state = std::move(on_state)](bool is_up, MonoTime since) {
          on_state(is_up, since - ahead_);
        });
  }
  Status status() const override { return wires_->status(); }

 private:
  std::unique_ptr<hal::EdgeInput> wires_;
  const Microseconds ahead_;
  std::vector<hal::Edge> stamped_;
};

}  // namespace

hal::TimerId BootLoop::at(MonoTime time, Callback callback) {
  return world_.at(time + ahead_, [is_alive = is_alive_, callback = std::move(callback)] {
    if (*is_alive) callback();
  });
}

void BootLoop::post(Callback callback) {
  world_.post([is_alive = is_alive_, callback = std::move(callback)] {
    if (*is_alive) callback();
  });
}

Result<std::unique_ptr<hal::EdgeInput>> BootEdgeInputs::open(
    const std::vector<std::string>& signals) {
  BERM_TRY(auto wires, wires_.open(signals));
  return std::make_unique<BootEdgeInput>(std::move(wires), ahead_);
}

}  // namespace berm::scenario
