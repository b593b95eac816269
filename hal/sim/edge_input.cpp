// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/edge_input.hpp"

#include <algorithm>
#include <utility>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::hal {
namespace {

constexpr Microseconds kMinute{60'000'000};

}  // namespace

Result<std::unique_ptr<EdgeInput>> ScriptedEdgeInputs::open(
    const std::vector<std::string>& signals) {
  return ports_.open(signals, [] {});
}

void ScriptedEdgeInputs::push(std::string_view signal, bool on, MonoTime time,
                              std::uint32_t resolution_us) {
  Edge edge{.time = time, .resolution_us = resolution_us, .on = on};
  if (const auto lost = lost_.find(signal); lost != lost_.end()) {
    edge.lost_before = lost->second;
    lost_.erase(lost);
  }
  ports_.add(ports_.wire(signal), edge);
  if (!turn_.is_set()) turn_.after(Microseconds{0}, [this] { ports_.flush(); });
}

void ScriptedEdgeInputs::lose(std::string_view signal, std::uint32_t count) {
  lost_[std::string(signal)] += count;
}

RecordedEdgeInputs::RecordedEdgeInputs(Loop& loop, RecordedEdgeOptions options,
                                       std::unique_ptr<EdgeReader> reader)
    : loop_(loop),
      options_(std::move(options)),
      reader_(std::move(reader)),
      ports_(loop),
      turn_(loop) {
  BERM_ASSERT(options_.step.count() > 0);
}

Result<std::unique_ptr<RecordedEdgeInputs>> RecordedEdgeInputs::create(
    Loop& loop, RecordedEdgeOptions options) {
  BERM_TRY(auto reader, EdgeReader::open(options.path));
  std::unique_ptr<RecordedEdgeInputs> inputs(
      new RecordedEdgeInputs(loop, std::move(options), std::move(reader)));
  if (inputs->options_.repeats) BERM_CHECK(inputs->measure());
  return inputs;
}

// Reads the recording through: its length, its loops, and whether every row is good.
Result<void> RecordedEdgeInputs::measure() {
  while (true) {
    BERM_TRY(const auto rows, reader_->next());
    if (rows.empty()) break;
  }
  measured_ = reader_->latest();
  const std::int64_t minutes = (measured_ + kMinute - Microseconds{1}) / kMinute;
  period_ = kMinute * std::max<std::int64_t>(minutes, 1);
  BERM_TRY(auto again, EdgeReader::open(options_.path));
  for (const std::string& name : reader_->names()) ports_.wire(name);
  reader_ = std::move(again);
  return {};
}

Microseconds RecordedEdgeInputs::length() const {
  return options_.repeats ? measured_ : reader_->latest();
}

Result<std::unique_ptr<EdgeInput>> RecordedEdgeInputs::open(
    const std::vector<std::string>& signals) {
  for (const std::string& signal : signals) {
    if (options_.repeats && !ports_.find(signal)) {
      return fail(ErrorCode::not_found, options_.path + " has no loop " + signal);
    }
  }
  return ports_.open(signals, [this] { begin(); });
}

void RecordedEdgeInputs::begin() {
  if (std::exchange(has_begun_, true)) return;
  origin_ = options_.origin.value_or(loop_.now());
  turn_.after(Microseconds{0}, [this] { play(); });
}

EdgeWire& RecordedEdgeInputs::wire_of(std::uint16_t loop) {
  while (wires_.size() <= loop) wires_.push_back(&ports_.wire(reader_->names()[wires_.size()]));
  return *wires_[loop];
}

const EdgeRow* RecordedEdgeInputs::next_row() {
  if (!rows_.empty()) return &rows_.front();
  auto rows = reader_->next();
  if (!rows) {
    outcome_ = fail(std::move(rows.error()));
    return nullptr;
  }
  rows_ = *rows;
  return rows_.empty() ? nullptr : &rows_.front();
}

// False: nothing is left of this pass.
bool RecordedEdgeInputs::hand_over_until(MonoTime time) {
  const MonoTime start = pass_start();
  while (const EdgeRow* row = next_row()) {
    const MonoTime at = start + row->time;
    if (at > time) return true;
    EdgeWire& wire = wire_of(row->loop);
    if (!wire.port) ++unclaimed_;
    ports_.add(wire, {.time = at, .resolution_us = row->resolution_us, .on = row->on});
    rows_ = rows_.subspan(1);
  }
  return false;
}

void RecordedEdgeInputs::play() {
  const MonoTime now = loop_.now();
  bool is_left = hand_over_until(now);
  while (!is_left && options_.repeats && outcome_ && pass_start() + period_ <= now) {
    begin_next_pass();
    is_left = hand_over_until(now);
  }
  ports_.flush();
  if (is_left) return arm(pass_start() + rows_.front().time);
  if (options_.repeats && outcome_) return arm(pass_start() + period_);
  end();
}

void RecordedEdgeInputs::begin_next_pass() {
  ++passes_;
  for (EdgeWire* wire : wires_) {
    if (!wire->on) continue;
    ++switched_off_at_end_;
    ports_.add(*wire, {.time = pass_start(), .resolution_us = kDefaultResolutionUs, .on = false});
  }
  outcome_ = reader_->rewind();
}

// At the first step on the grid from `next` on.
void RecordedEdgeInputs::arm(MonoTime next) {
  const Microseconds step = options_.step;
  const std::int64_t steps = (next - origin_ + step - Microseconds{1}) / step;
  turn_.at(origin_ + step * steps, [this] { play(); });
}

void RecordedEdgeInputs::end() {
  if (!outcome_) ports_.tell_state(false, loop_.now());
  if (options_.on_end) options_.on_end(outcome_);
}

}  // namespace berm::hal
