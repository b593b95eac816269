// SPDX-License-Identifier: Apache-2.0
// The simulated edge inputs. They run on any Loop: SimLoop, a RateLoop, or the real one
// (boards/sim). ScriptedEdgeInputs: a test pushes edges, loses some, lets the wires go down and
// come back. RecordedEdgeInputs: plays a recording (recording.hpp). Time 0 of it is `origin`.
// Repeated for ever, its period is its length rounded up to the whole minute, and a loop that is on
// at the end is switched off there; told to play once, it ends with `on_end`. Edges are handed over
// in steps of `step`, at the step that follows them, so never before their time. Repeated
// recordings are read through once at `create`, so that a bad row or an unknown signal is an Error
// then; played once, a bad row ends it with that Error. GeneratedEdgeInputs (generated_edges.hpp):
// traffic from a seed. Each signal belongs to one driver at a time. Loop thread only; they outlive
// what they open.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hal/edge_input.hpp"
#include "hal/loop.hpp"
#include "hal/sim/edge_port.hpp"
#include "hal/sim/recording.hpp"

namespace berm::hal {

class ScriptedEdgeInputs final : public EdgeInputs {
 public:
  explicit ScriptedEdgeInputs(Loop& loop) : loop_(loop), ports_(loop), turn_(loop) {}
  // Any name is a signal.
  Result<std::unique_ptr<EdgeInput>> open(const std::vector<std::string>& signals) override;

  // What is pushed in one turn is one batch, delivered in the next.
  void push(std::string_view signal, bool on) { push(signal, on, loop_.now()); }
  void push(std::string_view signal, bool on, MonoTime time, std::uint32_t resolution_us = 1);
  // So many edges of the wire are lost; the next one pushed says so.
  void lose(std::string_view signal, std::uint32_t count);
  void go_down(MonoTime since) { ports_.tell_state(false, since); }
  // Wires that are on tell so again.
  void go_up(MonoTime since) { ports_.tell_state(true, since); }

 private:
  Loop& loop_;
  EdgePorts ports_;
  std::map<std::string, std::uint32_t, std::less<>> lost_;
  Timer turn_;
};

struct RecordedEdgeOptions {
  std::string path;
  bool repeats = true;
  Microseconds step{20'000};
  std::optional<MonoTime> origin;  // absent: the instant the first driver starts
  // Played once: called after the last edges were handed over, or with what was wrong.
  std::function<void(const Result<void>&)> on_end;
};

class RecordedEdgeInputs final : public EdgeInputs {
 public:
  static Result<std::unique_ptr<RecordedEdgeInputs>> create(Loop& loop,
                                                            RecordedEdgeOptions options);

  // Error not_found where a repeated recording has no such loop.
  Result<std::unique_ptr<EdgeInput>> open(const std::vector<std::string>& signals) override;
  // Time of the latest row so far (repeated: of all), from the recording's 0.
  Microseconds length() const;
  // Repeated: length() up to the whole minute, at least one.
  Microseconds period() const { return period_; }
  std::uint64_t edges() const { return reader_->rows(); }
  // Rows of loops that no driver had opened when they came.
  std::uint64_t unclaimed() const { return unclaimed_; }
  std::uint64_t out_of_order() const { return reader_->out_of_order(); }
  std::uint64_t switched_off_at_end() const { return switched_off_at_end_; }
  std::uint64_t passes() const { return passes_; }

 private:
  RecordedEdgeInputs(Loop& loop, RecordedEdgeOptions options, std::unique_ptr<EdgeReader> reader);
  Result<void> measure();
  void begin();
  void play();
  // The next row not handed over; nullptr: the end of the recording or a failure.
  const EdgeRow* next_row();
  bool hand_over_until(MonoTime time);
  void begin_next_pass();
  void arm(MonoTime next);
  void end();
  EdgeWire& wire_of(std::uint16_t loop);
  MonoTime pass_start() const { return origin_ + period_ * static_cast<std::int64_t>(passes_); }

  Loop& loop_;
  RecordedEdgeOptions options_;
  std::unique_ptr<EdgeReader> reader_;
  EdgePorts ports_;
  Timer turn_;
  std::span<const EdgeRow> rows_;
  std::vector<EdgeWire*> wires_;  // by the reader's index
  Result<void> outcome_;
  MonoTime origin_{};
  Microseconds period_{0};
  Microseconds measured_{0};
  std::uint64_t passes_ = 0;
  std::uint64_t unclaimed_ = 0;
  std::uint64_t switched_off_at_end_ = 0;
  bool has_begun_ = false;
};

}  // namespace berm::hal
