// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/replay.hpp"

#include <array>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "firmware/agent/driver_host.hpp"
#include "hal/base/assert.hpp"
#include "hal/linux/time_zone.hpp"
#include "hal/sim/clock.hpp"
#include "hal/sim/loop.hpp"
#include "hal/sim/recording.hpp"

namespace berm::agent {
namespace {

constexpr std::string_view kEpoch = "replay";
// Edges handed over in one batch at most; a batch also ends at the next timer.
constexpr std::size_t kMaxBatch = 8192;
// How long after the last record a period may stay open, and a little more.
constexpr Seconds kClosing{10};

// The wires of one driver: it is given what the recording says of them.
class ReplayInput final : public hal::EdgeInput {
 public:
  Result<void> start(OnEdges on_edges, OnState) override {
    on_edges_ = std::move(on_edges);
    return {};
  }
  Status status() const override { return Status("recording"); }
  void add(const hal::Edge& edge) { batch_.push_back(edge); }
  void deliver() {
    if (batch_.empty()) return;
    if (on_edges_) on_edges_(batch_);
    batch_.clear();
  }

 private:
  OnEdges on_edges_;
  std::vector<hal::Edge> batch_;
};

struct Wire {
  ReplayInput* input = nullptr;  // null: a loop that no driver has
  std::uint16_t line = 0;
};

class ReplayInputs final : public hal::EdgeInputs {
 public:
  Result<std::unique_ptr<hal::EdgeInput>> open(const std::vector<std::string>& signals) override {
    auto input = std::make_unique<ReplayInput>();
    for (std::size_t line = 0; line < signals.size(); ++line) {
      const Wire wire{input.get(), static_cast<std::uint16_t>(line)};
      if (!wires_.emplace(signals[line], wire).second) {
        return fail(ErrorCode::exists, "signal " + signals[line] + " belongs to another driver");
      }
    }
    inputs_.push_back(input.get());
    return input;
  }
  Wire find(const std::string& signal) const {
    const auto found = wires_.find(signal);
    return found == wires_.end() ? Wire{} : found->second;
  }
  void deliver() {
    for (ReplayInput* input : inputs_) input->deliver();
  }

 private:
  std::map<std::string, Wire> wires_;
  std::vector<ReplayInput*> inputs_;  // die with their drivers, after the last delivery
};

class QuietAlarms final : public drivers::AlarmSink {
 public:
  void begin_alarm(std::string_view, std::string_view, drivers::Severity,
                   std::string_view) override {}
  void end_alarm(std::string_view, std::string_view) override {}
};

// Finishes each event and writes its line.
class LineSink final : public EventSink {
 public:
  LineSink(std::string_view node, const std::function<void(std::string_view)>& write)
      : node_(node), write_(write) {}

  void take(event::Draft draft, std::function<void()> on_durable) override {
    // Of what begins after the last record, only its own silence could be told.
    if (draft.mono > last_record_ && draft.vehicles) return;
    const WallTime wall = draft.wall.value_or(wall_us(0));
    line_.clear();
    const event::Identity identity{node_, kEpoch, ++sequences_[draft.schema]};
    event::compose_line(*draft.schema, identity, {wall, draft.clock}, draft.source, draft.tail,
                        line_);
    write_(line_);
    ++events_;
    if (on_durable) on_durable();
  }
  void checkpoint(std::string_view, std::string) override {}
  void end_after(MonoTime last_record) { last_record_ = last_record; }
  std::uint64_t events() const { return events_; }

 private:
  std::string_view node_;
  const std::function<void(std::string_view)>& write_;
  std::map<const event::StreamSchema*, std::int64_t> sequences_;
  std::string line_;
  MonoTime last_record_ = MonoTime::max();
  std::uint64_t events_ = 0;
};

class Player {
 public:
  Player(const control::NodeConfiguration& configuration, const ReplayOptions& options,
         const std::function<void(std::string_view)>& write)
      : configuration_(configuration),
        clock_(loop_, {.start = options.start, .source = ClockSource::rtc}),
        origin_(loop_.now()),
        sink_(configuration.node, write) {}

  Result<ReplaySummary> play(hal::EdgeReader& reader) {
    BERM_CHECK(start_drivers());
    MonoTime last = origin_;
    while (true) {
      BERM_TRY(const std::span<const hal::EdgeRow> rows, reader.next());
      if (rows.empty()) break;
      for (const hal::EdgeRow& row : rows) take(row, reader, last);
    }
    flush(last);
    sink_.end_after(last);
    loop_.run_until(last + longest_period() + kClosing);
    for (const auto& host : hosts_) host->stop();
    summary_.events = sink_.events();
    return summary_;
  }

 private:
  Result<void> start_drivers() {
    DriverParts parts{loop_, clock_, inputs_, nullptr, alarms_, configuration_.site, sink_};
    parts.read_zone = hal::read_time_zone;
    for (const control::DriverConfiguration& driver : configuration_.drivers) {
      if (driver.descriptor->needs_http) continue;       // a recording has no site to ask
      if (driver.descriptor->needs_children) continue;   // no worker lives in virtual time
      if (driver.descriptor->needs_positions) continue;  // and no receiver
      hosts_.push_back(std::make_unique<DriverHost>(driver.instance, parts));
      BERM_CHECK(hosts_.back()->create(*driver.descriptor, driver.options));
      BERM_CHECK(hosts_.back()->start({}));
    }
    return {};
  }

  // A batch ends before the next timer: edges go first where both have the same instant only if
  // they are earlier, as on a machine whose loop is never late.
  void take(const hal::EdgeRow& row, const hal::EdgeReader& reader, MonoTime& last) {
    const MonoTime time = origin_ + row.time;
    while (true) {
      const auto timer = loop_.next_timer();
      if (!timer || time < *timer) break;
      flush(last);
      loop_.run_until(*timer);
    }
    ++summary_.edges;
    last = std::max(last, time);
    const Wire wire = wire_of(row.loop, reader);
    if (wire.input == nullptr) {
      ++summary_.unknown_loops;
      return;
    }
    wire.input->add({time, row.resolution_us, 0, wire.line, row.on});
    if (++batched_ == kMaxBatch) flush(last);
  }

  void flush(MonoTime last) {
    batched_ = 0;
    loop_.run_until(last);
    inputs_.deliver();
  }

  Wire wire_of(std::uint16_t loop, const hal::EdgeReader& reader) {
    while (wires_.size() <= loop) wires_.push_back(inputs_.find(reader.names()[wires_.size()]));
    return wires_[loop];
  }

  Microseconds longest_period() const {
    std::int64_t longest_s = 0;
    for (const control::DriverConfiguration& driver : configuration_.drivers) {
      if (driver.options.has("period_s"))
        longest_s = std::max(longest_s, driver.options.integer("period_s"));
    }
    return Seconds{longest_s};
  }

  const control::NodeConfiguration& configuration_;
  hal::SimLoop loop_;
  hal::SimClock clock_;
  const MonoTime origin_;
  QuietAlarms alarms_;
  ReplayInputs inputs_;
  LineSink sink_;
  std::vector<std::unique_ptr<DriverHost>> hosts_;
  std::vector<Wire> wires_;  // by the reader's index
  std::size_t batched_ = 0;
  ReplaySummary summary_;
};

}  // namespace

Result<ReplaySummary> replay(const control::NodeConfiguration& configuration,
                             const ReplayOptions& options,
                             const std::function<void(std::string_view line)>& write) {
  BERM_TRY(std::unique_ptr<hal::EdgeReader> reader, hal::EdgeReader::open(options.signals));
  Player player(configuration, options, write);
  return player.play(*reader);
}

}  // namespace berm::agent
