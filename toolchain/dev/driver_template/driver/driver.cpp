// SPDX-License-Identifier: Apache-2.0
// The thin part: wires edges and timer to a PulsePeriod, and a period to an observation.
#include <charconv>
#include <chrono>
#include <optional>

#include "drivers/api/driver.hpp"
#include "drivers/pulse_counter/options.hpp"
#include "drivers/pulse_counter/pulse_period.hpp"
#include "hal/base/text.hpp"

namespace berm::drivers {
namespace pulse_counter {
namespace {

// A period as a checkpoint keeps it: "1 START_US PERIOD_S COUNT OBSERVED_US".
struct Saved {
  WallTime start;
  Seconds period;
  std::int64_t count = 0;
  Microseconds observed{0};
};

std::optional<Saved> read_checkpoint(std::string_view text) {
  const auto words = split(text, ' ');
  if (words.size() != 5 || words[0] != "1") return std::nullopt;
  const auto start = parse_integer(words[1]);
  const auto period = parse_integer(words[2]);
  const auto count = parse_integer(words[3]);
  const auto observed = parse_integer(words[4]);
  if (!start || !period || !count || !observed || *period < 1 || *count < 0 || *observed < 0) {
    return std::nullopt;
  }
  return Saved{wall_us(*start), Seconds{*period}, *count, Microseconds{*observed}};
}

class PulseCounter final : public Driver {
 public:
  PulseCounter(PulseCounterOptions options, std::unique_ptr<hal::EdgeInput> input,
               DriverContext& context)
      : options_(std::move(options)),
        input_(std::move(input)),
        context_(context),
        border_(context.loop()) {}

  Result<void> start(std::string_view checkpoint) override {
    const hal::WallReading wall = context_.clock().wall();
    const MonoTime now = context_.loop().now();
    const auto into = wall.time.time_since_epoch() % options_.period;
    clock_ = wall.source;
    wall_start_ = wall.time - into;
    mono_start_ = now - into;
    resume(read_checkpoint(checkpoint), now);
    period_.observe(now);
    border_.at(mono_start_ + options_.period, [this] { cross_border(); });
    return input_->start(
        [this](std::span<const hal::Edge> edges) {
          for (const hal::Edge& edge : edges) period_.add(edge);
        },
        [this](bool is_up, MonoTime since) {
          is_up ? period_.observe(since) : period_.lose_sight(since);
        });
  }

  void stop() override {
    border_.cancel();
    const auto observed = period_.observed(context_.loop().now());
    context_.checkpoint(text_of("1 %lld %lld %lld %lld", static_cast<long long>(us_of(wall_start_)),
                                static_cast<long long>(options_.period.count()),
                                static_cast<long long>(period_.count()),
                                static_cast<long long>(observed.count())));
    input_.reset();
  }

  Status status() const override {
    Status status;
    status.set("count", period_.count());
    status.set("is_observing", period_.is_observing());
    status.set("odd_edges", odd_edges_ + period_.odd_edges());
    status.set("lost_edges", lost_edges_ + period_.lost_edges());
    return status;
  }

 private:
  // Goes on in the period that was cut off, or sends it away as it was seen.
  void resume(const std::optional<Saved>& saved, MonoTime now) {
    if (!saved) return;
    const PulsePeriod period(saved->count, saved->observed);
    if (saved->start == wall_start_ && saved->period == options_.period) {
      period_ = period;
      return;
    }
    emit_period(period, now, when(now - (wall_start_ - saved->start), saved->start), saved->period,
                "interrupted");
  }

  void cross_border() {
    const MonoTime end = mono_start_ + options_.period;
    std::string flags = period_.lost_edges() > 0 ? "lost_edges" : "";
    if (clock_ == ClockSource::none) flags += flags.empty() ? "unaligned" : " unaligned";
    emit_period(period_, end, when(mono_start_, wall_start_), options_.period, std::move(flags));
    odd_edges_ += period_.odd_edges();
    lost_edges_ += period_.lost_edges();
    period_ = period_.next(end);
    mono_start_ = end;
    wall_start_ += options_.period;
    border_.at(end + options_.period, [this] { cross_border(); });
  }

  When when(MonoTime mono, WallTime wall) const {
    return {mono, clock_ == ClockSource::none ? std::nullopt : std::optional(wall), clock_};
  }

  void emit_period(const PulsePeriod& period, MonoTime end, When start, Seconds length,
                   std::string flags) {
    LanePeriod lane;
    lane.start = start;
    lane.uid = options_.uid;
    lane.lane = options_.lane;
    lane.period_s = length.count();
    lane.coverage = period.coverage(end, length);
    if (lane.coverage > 0) {
      lane.count = period.count();
      lane.unclassified_count = period.count();
    }
    lane.flags = std::move(flags);
    lane.place = context_.site().place;
    context_.emit(std::move(lane));
  }

  const PulseCounterOptions options_;
  std::unique_ptr<hal::EdgeInput> input_;
  DriverContext& context_;
  hal::Timer border_;
  PulsePeriod period_;
  MonoTime mono_start_;
  WallTime wall_start_;
  ClockSource clock_ = ClockSource::none;
  std::int64_t odd_edges_ = 0;
  std::int64_t lost_edges_ = 0;
};

Result<std::unique_ptr<Driver>> create(std::string_view, const Options& options,
                                       DriverContext& context) {
  PulseCounterOptions own = from_options(options);
  BERM_TRY(auto input, context.edges().open({own.signal}));
  return std::make_unique<PulseCounter>(std::move(own), std::move(input), context);
}

void check(const Options&, std::string_view, std::vector<OptionFault>&) {}
std::vector<std::int64_t> uids(const Options& options) {
  return {options.integer("uid")};
}
std::vector<std::string> signals(const Options& options) {
  return {options.text("signal")};
}

}  // namespace
}  // namespace pulse_counter

extern const DriverDescriptor pulse_counter_driver;
const DriverDescriptor pulse_counter_driver{
    .name = "pulse_counter",
    .summary = "vehicles from one counting contact",
    .options = &pulse_counter::kOptionTable,
    .check = pulse_counter::check,
    .uids = pulse_counter::uids,
    .signals = pulse_counter::signals,
    .create = pulse_counter::create,
};

}  // namespace berm::drivers
