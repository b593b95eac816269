// SPDX-License-Identifier: Apache-2.0
#include "drivers/loop_detector/driver.hpp"

#include <cmath>

#include "drivers/traffic/rounding.hpp"
#include "hal/base/text.hpp"

namespace berm::drivers::loop_detector {
namespace {

using traffic::hundredths;

// A timer that came later than this found the loop busy: edges may wait behind it, they go first.
constexpr Microseconds kLateTimer{200'000};

std::vector<traffic::EngineLane> engine_lanes(const DetectorOptions& options) {
  std::vector<traffic::EngineLane> lanes;
  for (const LaneOptions& lane : options.lanes) lanes.push_back(lane.engine);
  return lanes;
}

traffic::EngineRules engine_rules(const DetectorOptions& options, const DriverContext& context) {
  traffic::EngineRules rules;
  rules.plan = options.plan;
  rules.has_daily_tests = options.daily_tests;
  rules.local_offset_s = [&context](std::int64_t utc_s) { return context.zone().offset_s(utc_s); };
  return rules;
}

Severity severity_of(traffic::Fault fault) {
  switch (fault) {
    case traffic::Fault::wrong_way:
    case traffic::Fault::reversing:
    case traffic::Fault::no_activity:
    case traffic::Fault::max_presence:
    case traffic::Fault::chatter:
      return Severity::critical;
    case traffic::Fault::daily_test:
    case traffic::Fault::sensitivity:
      return Severity::notice;
    default:
      return Severity::warning;
  }
}

std::optional<std::int64_t> milliseconds(std::int64_t us) {
  if (us < 0) return std::nullopt;
  return (us + 500) / 1000;
}

// The arithmetic mean over all classes, for people.
std::optional<double> mean_speed(const LanePeriod& period) {
  double sum = 0.0;
  std::int64_t count = 0;
  for (const ClassMeasure& measure : period.classes) {
    if (!measure.speed_kmh) continue;
    sum += *measure.speed_kmh * static_cast<double>(measure.speed_count.value_or(0));
    count += measure.speed_count.value_or(0);
  }
  if (count == 0) return std::nullopt;
  return hundredths(sum / static_cast<double>(count));
}

void set(Status& status, std::string_view name, const std::optional<double>& value) {
  if (value) {
    status.set(name, *value);
  } else {
    status.set_unknown(name);
  }
}

std::string cell(const std::optional<double>& value, int decimals) {
  return value ? text_of("%.*f", decimals, *value) : "-";
}

}  // namespace

LoopDetector::LoopDetector(std::string_view instance, DetectorOptions options,
                           DriverContext& context)
    : instance_(instance),
      options_(std::move(options)),
      context_(context),
      engine_(engine_lanes(options_), options_.period_s, context.clock(), *this,
              engine_rules(options_, context)),
      timer_(context.loop()),
      missed_timer_(context.loop()),
      last_(options_.lanes.size()) {}

Result<void> LoopDetector::start(std::string_view checkpoint) {
  std::vector<std::string> loops;
  for (const LaneOptions& lane : options_.lanes) {
    loops.insert(loops.end(), lane.loops.begin(), lane.loops.end());
  }
  auto input = context_.edges().open(loops);
  if (!input) return fail(std::move(input.error()).with_context("opening loops"));
  input_ = std::move(*input);
  is_running_ = true;
  rated_at_ = context_.loop().now();
  engine_.begin(rated_at_, checkpoint);
  auto started = input_->start([this](std::span<const hal::Edge> edges) { on_edges(edges); },
                               [this](bool is_up, MonoTime since) { on_state(is_up, since); });
  if (!started) {
    is_running_ = false;
    input_.reset();
    return fail(std::move(started.error()).with_context("reading loops"));
  }
  set_timer();
  if (engine_.has_missed()) report_missed();
  return {};
}

void LoopDetector::stop() {
  if (!is_running_) return;
  is_running_ = false;
  timer_.cancel();
  missed_timer_.cancel();
  input_.reset();
  engine_.end(context_.loop().now());
}

void LoopDetector::on_edges(std::span<const hal::Edge> edges) {
  if (!is_running_) return;
  engine_.take(edges, context_.loop().now());
  if (engine_.next_wake() != wake_) set_timer();
}

void LoopDetector::on_state(bool is_up, MonoTime since) {
  if (!is_running_) return;
  engine_.set_input(is_up, since);
  if (is_up) {
    context_.end_alarm("input_down", instance_);
  } else {
    ++faults_;
    context_.begin_alarm("input_down", instance_, Severity::critical,
                         "The loops of " + instance_ + " cannot be read.");
  }
  set_timer();
}

void LoopDetector::set_timer() {
  wake_ = engine_.next_wake();
  timer_.at(wake_, [this, planned = wake_] { on_timer(planned); });
}

void LoopDetector::on_timer(MonoTime planned) {
  const MonoTime now = context_.loop().now();
  if (now - planned > kLateTimer) {
    timer_.at(now + kLateTimer, [this, now] { on_timer(now + kLateTimer); });
    return;
  }
  engine_.advance(now);
  if (engine_.has_missed() && !missed_timer_.is_set()) report_missed();
  set_timer();
}

void LoopDetector::report_missed() {
  if (!engine_.report_missed()) return;
  missed_timer_.after(Microseconds{traffic::kMissedPauseUs}, [this] { report_missed(); });
}

void LoopDetector::on_passage(std::size_t index, const traffic::Passage& passage,
                              const traffic::Moment& now) {
  if (!options_.vehicles) return;
  const LaneOptions& lane = options_.lanes[index];
  VehiclePassage vehicle;
  vehicle.leading_edge.mono = mono_us(passage.lead_us);
  if (now.is_known()) {
    vehicle.leading_edge.wall = wall_us(now.wall_at(passage.lead_us));
    vehicle.leading_edge.clock = now.source;
  }
  vehicle.uid = lane.engine.uid;
  vehicle.lane = lane.name;
  if (passage.has_speed()) vehicle.speed_kmh = passage.speed_kmh;
  if (!std::isnan(passage.length_m)) vehicle.length_m = passage.length_m;
  if (passage.length_class != 0) vehicle.length_class = passage.length_class;
  vehicle.on_ms = milliseconds(passage.on_us);
  vehicle.headway_ms = milliseconds(passage.headway_us);
  vehicle.gap_ms = milliseconds(passage.gap_us);
  vehicle.flags = passage.flags.words();
  context_.emit(std::move(vehicle));
}

Place LoopDetector::place_of(const LaneOptions& lane) const {
  const Place& site = context_.site().place;
  Place place = lane.place;
  if (!place.name) place.name = site.name;
  if (!place.road) place.road = site.road;
  if (!place.direction) place.direction = site.direction;
  if (!place.km) place.km = site.km;
  if (!place.lat) place.lat = site.lat;
  if (!place.lon) place.lon = site.lon;
  return place;
}

void LoopDetector::on_period(std::size_t index, LanePeriod period) {
  const LaneOptions& lane = options_.lanes[index];
  period.uid = lane.engine.uid;
  period.lane = lane.name;
  period.place = place_of(lane);
  LastPeriod& last = last_[index];
  last.is_there = true;
  last.start_s = period.start.wall ? s_of(*period.start.wall) : 0;
  last.count = period.count;
  last.speed_kmh = mean_speed(period);
  last.occupancy_percent = period.occupancy_percent;
  last.coverage = period.coverage;
  last.flags = period.flags;
  context_.emit(std::move(period));
}

// "03:12" by the clocks on the wall; empty while nobody knows the time.
std::string LoopDetector::local_time_of(std::int64_t mono) const {
  const traffic::Moment now = traffic::Moment::of(context_.clock());
  if (!now.is_known()) return "";
  const std::int64_t utc_s = now.wall_at(mono) / 1'000'000;
  const std::int64_t minute = (utc_s + context_.zone().offset_s(utc_s)) / 60;
  return text_of("%02d:%02d", static_cast<int>(minute / 60 % 24), static_cast<int>(minute % 60));
}

std::string LoopDetector::subject_of(std::size_t index, const traffic::Diagnosis& diagnosis) const {
  const LaneOptions& lane = options_.lanes[index];
  std::string subject = instance_ + "/" + lane.name;
  // One alarm for each loop: both may have the same fault.
  if (diagnosis.loop >= 0 && lane.loops.size() > 1)
    subject += "/" + lane.loops[static_cast<std::size_t>(diagnosis.loop)];
  return subject;
}

void LoopDetector::on_diagnosis(std::size_t index, const traffic::Diagnosis& diagnosis) {
  const std::string subject = subject_of(index, diagnosis);
  if (!diagnosis.begins) {
    context_.end_alarm(traffic::name_of(diagnosis.fault), subject);
    return;
  }
  ++faults_;
  const LaneOptions& lane = options_.lanes[index];
  context_.begin_alarm(traffic::name_of(diagnosis.fault), subject, severity_of(diagnosis.fault),
                       traffic::text_of(diagnosis, lane.name, lane.loops.front(), lane.loops.back(),
                                        local_time_of(diagnosis.since_us)));
}

void LoopDetector::on_checkpoint(std::string bytes) {
  const MonoTime now = context_.loop().now();
  const double elapsed_s = static_cast<double>((now - rated_at_).count()) * 1e-6;
  if (elapsed_s >= 1.0) {
    const std::uint64_t edges = engine_.counts().edges;
    edges_per_s_ = hundredths(static_cast<double>(edges - edges_at_period_) / elapsed_s);
    edges_at_period_ = edges;
    rated_at_ = now;
  }
  context_.checkpoint(std::move(bytes));
}

Status LoopDetector::lane_status(std::size_t index) const {
  const LastPeriod& last = last_[index];
  Status status(options_.lanes[index].name);
  status.set("uid", options_.lanes[index].engine.uid);
  if (last.start_s != 0) {
    status.set("time", last.start_s);
  } else {
    status.set_unknown("time");
  }
  if (last.count) {
    status.set("count", *last.count);
  } else {
    status.set_unknown("count");
  }
  set(status, "speed_kmh", last.speed_kmh);
  set(status, "occupancy_percent", last.occupancy_percent);
  set(status, "coverage", last.coverage);
  status.set("flags", last.flags);
  return status;
}

Status LoopDetector::status() const {
  const traffic::EngineCounts& counts = engine_.counts();
  Status status(instance_);
  status.set("driver", "loop_detector");
  status.set("state", !is_running_ ? "stopped" : engine_.is_input_up() ? "running" : "input_down");
  status.set("period_s", options_.period_s);
  status.set("edges", counts.edges);
  status.set("odd_edges", counts.odd_edges);
  status.set("lost_edges", counts.lost_edges);
  status.set("vehicles", counts.vehicles);
  status.set("rate", edges_per_s_);
  status.set("faults", faults_);
  Status lanes("lanes");
  for (std::size_t i = 0; i < last_.size(); ++i) lanes.add(lane_status(i));
  status.add(std::move(lanes));
  if (input_ != nullptr) status.add(input_->status());
  return status;
}

CommandAnswer LoopDetector::show_lanes(const CommandRequest& request) const {
  if (!request.words.empty()) return {2, "usage: lanes\n"};
  if (request.json) {
    Status lanes("lanes");
    for (std::size_t i = 0; i < last_.size(); ++i) lanes.add(lane_status(i));
    return {0, lanes.to_json() + "\n"};
  }
  std::string text = text_of("%-16s %10s %-20s %6s %7s %6s %8s  %s\n", "lane", "uid", "period",
                             "count", "km/h", "occ %", "coverage", "flags");
  for (std::size_t i = 0; i < last_.size(); ++i) {
    const LastPeriod& last = last_[i];
    const std::string start = last.start_s != 0 ? iso8601(last.start_s) : "-";
    const std::string count = last.count ? std::to_string(*last.count) : "-";
    text +=
        text_of("%-16s %10lld %-20s %6s %7s %6s %8s  %s\n", options_.lanes[i].name.c_str(),
                static_cast<long long>(options_.lanes[i].engine.uid), start.c_str(), count.c_str(),
                cell(last.speed_kmh, 1).c_str(), cell(last.occupancy_percent, 1).c_str(),
                cell(last.coverage, 2).c_str(), last.flags.c_str());
  }
  return {0, text};
}

std::vector<Command> LoopDetector::commands() {
  Command lanes;
  lanes.verb = "lanes";
  lanes.usage = "lanes";
  lanes.help = "the last period of each lane of " + instance_;
  lanes.run = [this](const CommandRequest& request) { return show_lanes(request); };
  return {std::move(lanes)};
}

}  // namespace berm::drivers::loop_detector

namespace berm::drivers {

extern const DriverDescriptor loop_detector_driver;
const DriverDescriptor loop_detector_driver = {
    .name = "loop_detector",
    .summary = "inductive loops, single or in pairs: vehicles and lane periods",
    .options = &loop_detector::kOptions,
    .check = loop_detector::check,
    .uids = loop_detector::uids,
    .signals = loop_detector::signals,
    .create = [](std::string_view instance, const Options& options,
                 DriverContext& context) -> Result<std::unique_ptr<Driver>> {
      return std::make_unique<loop_detector::LoopDetector>(
          instance, loop_detector::detector_options(options), context);
    },
    .loop_lanes = loop_detector::loop_lanes,
};

}  // namespace berm::drivers
