// SPDX-License-Identifier: Apache-2.0
#include "drivers/gps_position/driver.hpp"

#include <algorithm>
#include <optional>

#include "hal/base/text.hpp"

namespace berm::drivers::gps_position {
namespace {

constexpr std::string_view kAlarm = "gps_down";

template <class T>
Row::Value value_of(const std::optional<T>& value) {
  if (!value) return std::monostate{};
  return *value;
}

template <class T>
void set(Status& status, std::string_view name, const std::optional<T>& value) {
  if (value) {
    status.set(name, *value);
  } else {
    status.set_unknown(name);
  }
}

std::string cell(const std::optional<double>& value, const char* unit) {
  return value ? text_of("%.1f %s", *value, unit) : "unknown";
}

// " name 3 other 1": the counts that are not 0.
std::string counts_of(const Status& status) {
  std::string text;
  for (const Status::Item& item : status.items()) {
    const auto* count = std::get_if<std::int64_t>(&item.value);
    if (count != nullptr && *count > 0) text += " " + item.name + " " + std::to_string(*count);
  }
  return text;
}

}  // namespace

GpsPosition::GpsPosition(std::string_view instance, PositionOptions options, DriverContext& context)
    : instance_(instance),
      options_(std::move(options)),
      context_(context),
      filter_(options_.filter),
      timer_(context.loop()) {}

Result<void> GpsPosition::start(std::string_view) {
  hal::PositionFeeds* feeds = context_.positions();
  if (feeds == nullptr) return fail(ErrorCode::unavailable, "this node cannot read gpsd");
  BERM_TRY(feed_, feeds->open(options_.gpsd));
  is_up_ = false;
  is_alarmed_ = false;
  reason_ = "not connected yet";
  changed_at_ = context_.loop().now();
  heard_at_ = changed_at_;
  feed_->start([this](const hal::PositionFix& fix) { on_fix(fix); },
               [this](bool is_up, const std::string& reason) { on_state(is_up, reason); });
  watch();
  return {};
}

void GpsPosition::stop() {
  timer_.cancel();
  feed_.reset();
}

void GpsPosition::on_state(bool is_up, const std::string& reason) {
  is_up_ = is_up;
  reason_ = reason;
  changed_at_ = context_.loop().now();
  watch();
}

void GpsPosition::on_fix(const hal::PositionFix& fix) {
  heard_at_ = context_.loop().now();
  if (is_alarmed_) {
    is_alarmed_ = false;
    context_.end_alarm(kAlarm, instance_);
    watch();
  }
  offer_time(fix);
  last_verdict_ = filter_.take(fix, heard_at_);
  ++verdicts_[static_cast<std::size_t>(last_verdict_)];
  if (last_verdict_ == FixVerdict::event || last_verdict_ == FixVerdict::quiet) {
    good_at_ = heard_at_;
  }
  if (last_verdict_ == FixVerdict::event) emit(*filter_.report());
}

void GpsPosition::offer_time(const hal::PositionFix& fix) {
  if (fix.mode < 2) return;
  if (!fix.gps_time) {
    ++without_time_;
    return;
  }
  if (!fix.time_error) {
    ++without_time_error_;
    return;
  }
  const TimeVerdict verdict =
      context_.offer_time({*fix.gps_time, fix.time, *fix.time_error + kWayError});
  ++times_[static_cast<std::size_t>(verdict)];
}

void GpsPosition::emit(const PositionReport& report) {
  Row row;
  row.stream = "position";
  row.when.mono = heard_at_;
  if (const hal::WallReading wall = context_.clock().wall(); wall.source != ClockSource::none) {
    row.when.wall = wall.time;
    row.when.clock = wall.source;
  }
  row.values = {{"lat", report.place.lat},
                {"lon", report.place.lon},
                {"alt_m", value_of(report.alt_m)},
                {"speed_kmh", value_of(report.speed_kmh)},
                {"track_deg", value_of(report.track_deg)},
                {"accuracy_m", value_of(report.accuracy_m)},
                {"mode", report.mode},
                {"satellites", value_of(report.satellites)},
                {"elapsed_s", report.elapsed_s},
                {"distance_m", report.distance_m}};
  context_.emit(std::move(row));
}

MonoTime GpsPosition::deadline() const {
  if (!is_up_) return changed_at_ + kDownGrace;
  return std::max(changed_at_, heard_at_) + kReceiverSilence;
}

void GpsPosition::watch() {
  timer_.at(deadline(), [this] { on_deadline(); });
}

void GpsPosition::on_deadline() {
  if (context_.loop().now() < deadline()) return watch();
  is_alarmed_ = true;
  const std::string text = is_up_
                               ? "gpsd on " + options_.gpsd + " hears nothing from a receiver."
                               : "gpsd on " + options_.gpsd + " cannot be read: " + reason_ + ".";
  context_.begin_alarm(kAlarm, instance_, Severity::warning, text);
}

std::string_view GpsPosition::state() const {
  if (!feed_) return "stopped";
  if (!is_up_) return "gpsd_down";
  const MonoTime now = context_.loop().now();
  if (now - std::max(changed_at_, heard_at_) >= kReceiverSilence) return "receiver_silent";
  const bool is_good = last_verdict_ == FixVerdict::event || last_verdict_ == FixVerdict::quiet;
  return is_good ? "running" : "no_fix";
}

Status GpsPosition::reports_status() const {
  Status status("reports");
  for (std::size_t i = 0; i < kFixVerdicts; ++i) {
    status.set(name_of(static_cast<FixVerdict>(i)), verdicts_[i]);
  }
  status.set("absurd_speeds", filter_.absurd_speeds());
  return status;
}

Status GpsPosition::position_status() const {
  const PositionReport& report = *filter_.report();
  Status status("position");
  const Microseconds age = context_.loop().now() - good_at_;
  status.set("age_s", std::chrono::floor<Seconds>(age).count());
  status.set("lat", report.place.lat).set("lon", report.place.lon);
  set(status, "alt_m", report.alt_m);
  set(status, "speed_kmh", report.speed_kmh);
  set(status, "track_deg", report.track_deg);
  set(status, "accuracy_m", report.accuracy_m);
  status.set("mode", report.mode);
  set(status, "satellites", report.satellites);
  status.set("elapsed_s", report.elapsed_s).set("distance_m", report.distance_m);
  return status;
}

Status GpsPosition::time_status() const {
  Status status("time");
  for (std::size_t i = 0; i < kTimeVerdicts; ++i) {
    status.set(name_of(static_cast<TimeVerdict>(i)), times_[i]);
  }
  status.set("without_time", without_time_).set("without_error", without_time_error_);
  return status;
}

Status GpsPosition::status() const {
  Status status(instance_);
  status.set("driver", "gps_position").set("state", state());
  status.set("address", options_.gpsd);
  if (!is_up_) status.set("reason", reason_);
  status.set("last", name_of(last_verdict_));
  if (filter_.report() != nullptr) {
    status.add(position_status());
  }
  status.add(reports_status()).add(time_status());
  if (feed_) status.add(feed_->status());
  return status;
}

CommandAnswer GpsPosition::show(const CommandRequest& request) const {
  if (!request.words.empty()) return {2, "usage: gps\n"};
  if (request.json) return {0, status().to_json() + "\n"};
  std::string text = "gpsd " + options_.gpsd + ": " + std::string(state());
  if (!is_up_) text += " (" + reason_ + ")";
  text += "\n";
  if (const PositionReport* report = filter_.report()) {
    const Status position = position_status();
    text += text_of("position   %.7f %.7f, %s s ago\n", report->place.lat, report->place.lon,
                    std::to_string(position.integer("age_s")).c_str());
    text += "accuracy   " + cell(report->accuracy_m, "m") + ", mode " +
            std::to_string(report->mode) + ", satellites " +
            (report->satellites ? std::to_string(*report->satellites) : "unknown") + "\n";
    text += "speed      " + cell(report->speed_kmh, "km/h") + ", track " +
            cell(report->track_deg, "deg") + ", altitude " + cell(report->alt_m, "m") + "\n";
    text += text_of("trip       %.1f m in %s\n", report->distance_m,
                    human_seconds(report->elapsed_s).c_str());
  }
  text += "reports   " + counts_of(reports_status());
  text += "\ntime      " + counts_of(time_status());
  return {0, text + "\n"};
}

std::vector<Command> GpsPosition::commands() {
  Command gps;
  gps.verb = "gps";
  gps.usage = "gps [--json]";
  gps.help = "where the node is, and what became of the receiver's reports";
  gps.run = [this](const CommandRequest& request) { return show(request); };
  return {std::move(gps)};
}

}  // namespace berm::drivers::gps_position

namespace berm::drivers {

extern const DriverDescriptor gps_position_driver;
const DriverDescriptor gps_position_driver = {
    .name = "gps_position",
    .summary = "a satellite receiver read through gpsd: position events and a time source",
    .options = &gps_position::kOptions,
    .check = gps_position::check,
    .uids = nullptr,
    .signals = nullptr,
    .create = [](std::string_view instance, const Options& options,
                 DriverContext& context) -> Result<std::unique_ptr<Driver>> {
      return std::make_unique<gps_position::GpsPosition>(
          instance, gps_position::position_options(options), context);
    },
    .needs_positions = true,
};

}  // namespace berm::drivers
