// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/driver.hpp"

#include <algorithm>
#include <cmath>

#include "hal/base/text.hpp"

namespace berm::drivers::camera_counter {
namespace {

constexpr Microseconds kTick{500'000};
// A worker that has said nothing for this long is ended; it says something twice a second, except
// while it waits for its camera.
constexpr Microseconds kSilence{15'000'000};
// The lanes are not seen while nothing has been told for this long.
constexpr Microseconds kMaxTellLag{4'000'000};
constexpr Microseconds kFirstBackoff{1'000'000};
constexpr Microseconds kLongestBackoff{60'000'000};
constexpr Microseconds kGoodRun{300'000'000};
constexpr double kWorthSeen = 0.9;

std::vector<traffic::EngineLane> engine_lanes(const CounterOptions& options) {
  std::vector<traffic::EngineLane> lanes;
  for (const LaneOptions& lane : options.lanes) {
    traffic::EngineLane& made = lanes.emplace_back();
    made.uid = lane.uid;
    made.direction = word_of(lane.camera.line.direction);
  }
  return lanes;
}

std::optional<std::int64_t> milliseconds(std::int64_t us) {
  if (us < 0) return std::nullopt;
  return (us + 500) / 1000;
}

}  // namespace

CameraCounter::CameraCounter(std::string_view instance, CounterOptions options,
                             std::string worker_input, DriverContext& context)
    : instance_(instance),
      options_(std::move(options)),
      worker_input_(std::move(worker_input)),
      context_(context),
      engine_(engine_lanes(options_), options_.period_s, context.clock(), *this,
              {.plan = {}, .has_daily_tests = false, .has_loops = false, .local_offset_s = {}}),
      tick_(context.loop()),
      restart_(context.loop()),
      missed_timer_(context.loop()),
      last_(options_.lanes.size()),
      backoff_(kFirstBackoff) {}

Result<void> CameraCounter::start(std::string_view checkpoint) {
  if (context_.children() == nullptr) {
    return fail(ErrorCode::unsupported,
                "a camera cannot be watched here: no worker can be started");
  }
  if (!options_.model.empty()) {
    context_.log().warning("this build has no detector: " + options_.model + " is not used");
  }
  is_running_ = true;
  told_ = context_.loop().now();
  engine_.begin(told_, checkpoint);
  set_blind(true, told_);
  launch();
  on_tick();
  if (engine_.has_missed()) report_missed();
  return {};
}

void CameraCounter::stop() {
  if (!is_running_) return;
  is_running_ = false;
  tick_.cancel();
  restart_.cancel();
  missed_timer_.cancel();
  worker_.reset();
  retired_.reset();
  engine_.end(context_.loop().now());
}

void CameraCounter::launch() {
  retired_.reset();
  is_ready_ = false;
  started_ = last_line_ = context_.loop().now();
  hal::ChildPlan plan;
  plan.words = {"berm-camera", "work"};
  plan.input = worker_input_;
  plan.memory_bytes = static_cast<std::uint64_t>(options_.memory_bytes);
  plan.nice = static_cast<int>(options_.nice);
  worker_ = context_.children()->make(std::move(plan));
  const auto started = worker_->start(
      [this](std::string_view line, bool is_whole) { on_line(line, is_whole); },
      [this](const std::string& how) { lose(fault_.empty() ? "its worker " + how : fault_); });
  if (!started) lose(started.error().text);
}

void CameraCounter::on_line(std::string_view text, bool is_whole) {
  const auto line = is_whole ? parse_worker_line(text) : std::nullopt;
  if (!line) {
    ++refused_lines_;
    return lose("its worker says what is no line of the protocol");
  }
  ++lines_;
  last_line_ = context_.loop().now();
  std::visit([this](const auto& one) { take(one); }, *line);
}

void CameraCounter::take(const ReadyLine&) {
  is_ready_ = true;
  context_.end_alarm("camera_down", instance_);
}

// A passage of before its worker's start, or of later than now, is not believed.
void CameraCounter::take(const PassLine& line) {
  const std::int64_t now_us = us_of(context_.loop().now());
  if (line.lane >= options_.lanes.size() || line.lead_us + line.on_us > now_us ||
      line.lead_us < us_of(started_)) {
    ++refused_lines_;
    return;
  }
  if (line.lead_us < us_of(told_)) ++late_;
  traffic::Passage passage;
  passage.lead_us = line.lead_us;
  passage.on_us = line.on_us;
  if (line.speed_kmh) passage.speed_kmh = *line.speed_kmh;
  if (line.length_m) passage.length_m = *line.length_m;
  passage.length_class = static_cast<std::uint8_t>(line.length_class);
  engine_.take_passage(line.lane, passage, context_.loop().now());
}

void CameraCounter::take(const ToldLine& line) {
  const MonoTime until = std::min(mono_us(line.until_us), context_.loop().now());
  if (until <= told_) return;
  const bool is_seen =
      is_ready_ && view_ != View::dark && view_ != View::frozen && line.seen >= kWorthSeen;
  set_blind(!is_seen, told_);
  told_ = until;
  engine_.advance(told_);
  if (engine_.has_missed() && !missed_timer_.is_set()) report_missed();
}

void CameraCounter::report_missed() {
  if (!engine_.report_missed()) return;
  missed_timer_.after(Microseconds{traffic::kMissedPauseUs}, [this] { report_missed(); });
}

void CameraCounter::take(const ViewLine& line) {
  view_ = line.view;
  if (view_ == View::good) return context_.end_alarm("camera_view", instance_);
  const std::string_view why = view_ == View::dark ? " sees nothing: dark or covered."
                               : view_ == View::frozen
                                   ? " gives the same picture again and again."
                                   : " has been moved: its lines lie elsewhere.";
  context_.begin_alarm("camera_view", instance_, Severity::warning,
                       "The camera of " + instance_ + std::string(why));
}

void CameraCounter::take(const FaultLine& line) {
  fault_ = line.text;
}

// The worker is no longer believed, or is gone: the lanes are not seen until another one tells.
void CameraCounter::lose(const std::string& why) {
  if (!is_running_ || restart_.is_set()) return;
  const MonoTime now = context_.loop().now();
  if (worker_) worker_->end();
  // It may be its own call that brings us here.
  retired_ = std::move(worker_);
  set_blind(true, told_);
  if (now - started_ > kGoodRun) backoff_ = kFirstBackoff;
  context_.begin_alarm("camera_down", instance_, Severity::critical,
                       "The camera of " + instance_ + " is not counted: " + why + ".");
  context_.log().warning(why);
  fault_.clear();
  ++restarts_;
  restart_.after(backoff_, [this] { launch(); });
  backoff_ = std::min(2 * backoff_, kLongestBackoff);
}

void CameraCounter::set_blind(bool is_blind, MonoTime since) {
  if (is_blind == is_blind_) return;
  is_blind_ = is_blind;
  engine_.set_input(!is_blind, since);
}

void CameraCounter::on_tick() {
  const MonoTime now = context_.loop().now();
  if (worker_ && worker_->is_running() && now - last_line_ > kSilence) {
    lose("its worker says nothing");
  }
  if (now - told_ > kMaxTellLag) {
    // What is not told by now was not seen.
    set_blind(true, told_);
    told_ = now - kMaxTellLag;
    engine_.advance(told_);
  }
  tick_.after(kTick, [this] { on_tick(); });
}

void CameraCounter::on_passage(std::size_t index, const traffic::Passage& passage,
                               const traffic::Moment& now) {
  if (!options_.vehicles) return;
  const LaneOptions& lane = options_.lanes[index];
  VehiclePassage vehicle;
  vehicle.leading_edge.mono = mono_us(passage.lead_us);
  if (now.is_known()) {
    vehicle.leading_edge.wall = wall_us(now.wall_at(passage.lead_us));
    vehicle.leading_edge.clock = now.source;
  }
  vehicle.uid = lane.uid;
  vehicle.lane = lane.camera.name;
  if (passage.has_speed()) vehicle.speed_kmh = passage.speed_kmh;
  if (!std::isnan(passage.length_m)) vehicle.length_m = passage.length_m;
  if (passage.length_class != 0) vehicle.length_class = passage.length_class;
  vehicle.on_ms = milliseconds(passage.on_us);
  vehicle.headway_ms = milliseconds(passage.headway_us);
  vehicle.gap_ms = milliseconds(passage.gap_us);
  vehicle.flags = passage.flags.words();
  context_.emit(std::move(vehicle));
}

Place CameraCounter::place_of(const LaneOptions& lane) const {
  const Place& site = context_.site().place;
  Place place = lane.place;
  if (!place.name) place.name = site.name;
  if (!place.road) place.road = site.road;
  if (!place.km) place.km = site.km;
  if (!place.lat) place.lat = site.lat;
  if (!place.lon) place.lon = site.lon;
  return place;
}

void CameraCounter::on_period(std::size_t index, LanePeriod period) {
  const LaneOptions& lane = options_.lanes[index];
  period.uid = lane.uid;
  period.lane = lane.camera.name;
  period.place = place_of(lane);
  LastPeriod& last = last_[index];
  last.start_s = period.start.wall ? s_of(*period.start.wall) : 0;
  last.count = period.count;
  last.coverage = period.coverage;
  last.flags = period.flags;
  context_.emit(std::move(period));
}

void CameraCounter::on_checkpoint(std::string bytes) {
  context_.checkpoint(std::move(bytes));
}

Status CameraCounter::lane_status(std::size_t index) const {
  const LastPeriod& last = last_[index];
  Status status(options_.lanes[index].camera.name);
  status.set("uid", options_.lanes[index].uid);
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
  if (last.coverage) {
    status.set("coverage", *last.coverage);
  } else {
    status.set_unknown("coverage");
  }
  status.set("flags", last.flags);
  return status;
}

Status CameraCounter::status() const {
  Status status(instance_);
  status.set("driver", "camera_counter");
  status.set("state", !is_running_ ? "stopped" : is_blind_ ? "blind" : "running");
  status.set("period_s", options_.period_s);
  status.set("vehicles", engine_.counts().vehicles);
  status.set("view", std::string(word_of(view_)));
  status.set("worker", worker_ ? worker_->pid() : std::int64_t{0});
  status.set("restarts", restarts_);
  status.set("lines", lines_);
  status.set("refused_lines", refused_lines_);
  status.set("late", late_);
  Status lanes("lanes");
  for (std::size_t i = 0; i < last_.size(); ++i) lanes.add(lane_status(i));
  status.add(std::move(lanes));
  return status;
}

CommandAnswer CameraCounter::show_lanes(const CommandRequest& request) const {
  if (!request.words.empty()) return {2, "usage: camera\n"};
  if (request.json) return {0, status().to_json() + "\n"};
  std::string text = text_of("%-16s %10s %-20s %6s %8s  %s\n", "lane", "uid", "period", "count",
                             "coverage", "flags");
  for (std::size_t i = 0; i < last_.size(); ++i) {
    const LastPeriod& last = last_[i];
    const std::string start = last.start_s != 0 ? iso8601(last.start_s) : "-";
    const std::string count = last.count ? std::to_string(*last.count) : "-";
    const std::string coverage = last.coverage ? text_of("%.2f", *last.coverage) : "-";
    text += text_of("%-16s %10lld %-20s %6s %8s  %s\n", options_.lanes[i].camera.name.c_str(),
                    static_cast<long long>(options_.lanes[i].uid), start.c_str(), count.c_str(),
                    coverage.c_str(), last.flags.c_str());
  }
  return {0, text};
}

std::vector<Command> CameraCounter::commands() {
  Command camera;
  camera.verb = "camera";
  camera.usage = "camera";
  camera.help = "the last period of each lane of camera " + instance_;
  camera.run = [this](const CommandRequest& request) { return show_lanes(request); };
  return {std::move(camera)};
}

}  // namespace berm::drivers::camera_counter

namespace berm::drivers {

extern const DriverDescriptor camera_counter_driver;
const DriverDescriptor camera_counter_driver = {
    .name = "camera_counter",
    .summary = "vehicles across lines in a camera's picture, counted by a worker of its own",
    .options = &camera_counter::kOptions,
    .check = camera_counter::check,
    .uids = camera_counter::uids,
    .signals = nullptr,
    .create = [](std::string_view instance, const Options& options,
                 DriverContext& context) -> Result<std::unique_ptr<Driver>> {
      camera_counter::CounterOptions made = camera_counter::counter_options(options);
      std::string input = camera_counter::worker_document(made);
      return std::make_unique<camera_counter::CameraCounter>(instance, std::move(made),
                                                             std::move(input), context);
    },
    .needs_children = true,
};

}  // namespace berm::drivers
