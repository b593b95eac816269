// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/driver_host.hpp"

#include "firmware/outbox/outbox.hpp"
#include "hal/base/assert.hpp"

namespace berm::agent {
namespace {

constexpr std::size_t kMaxCheckpointBytes = 65536;

void add_flag(std::string& flags, std::string_view flag) {
  if (!flags.empty()) flags += ' ';
  flags += flag;
}

void mark_simulated(drivers::Observation& observation) {
  if (auto* period = std::get_if<drivers::LanePeriod>(&observation))
    add_flag(period->flags, "simulated");
  if (auto* passage = std::get_if<drivers::VehiclePassage>(&observation)) {
    add_flag(passage->flags, "simulated");
  }
}

void copy_item(Status& status, std::string_view name, std::monostate) {
  status.set_unknown(name);
}
template <class T>
void copy_item(Status& status, std::string_view name, const T& value) {
  status.set(name, value);
}

}  // namespace

DriverHost::DriverHost(std::string instance, const DriverParts& parts)
    : instance_(std::move(instance)), parts_(parts), log_("driver " + instance_) {
  if (!parts_.read_zone) return;
  auto zone = parts_.read_zone(parts_.site.timezone);
  if (zone) {
    zone_ = std::move(*zone);
  } else {
    log_.warning(zone.error().text + "; civil days are those of UTC");
  }
}

Result<void> DriverHost::create(const drivers::DriverDescriptor& descriptor,
                                const Options& options) {
  kind_ = descriptor.name;
  auto driver = descriptor.create(instance_, options, *this);
  if (!driver) return fail(std::move(driver.error()).with_context("driver " + instance_));
  driver_ = std::move(*driver);
  return {};
}

Result<void> DriverHost::start(std::string_view checkpoint) {
  auto started = driver_->start(checkpoint);
  if (!started) {
    state_ = "failed: " + started.error().text;
    return fail(std::move(started.error()).with_context("driver " + instance_));
  }
  state_ = "running";
  return {};
}

void DriverHost::stop() {
  if (state_ != "running") return;
  driver_->stop();
  state_ = "stopped";
}

void DriverHost::emit(drivers::Observation observation, std::function<void()> on_durable) {
  if (parts_.simulated) mark_simulated(observation);
  event::Made made{parts_.clock.mono(), std::nullopt};
  if (const hal::WallReading wall = parts_.clock.wall(); wall.source != ClockSource::none) {
    made.wall = wall.time;
  }
  auto draft = event::write_draft(observation, instance_, made);
  if (draft && draft->tail.size() > outbox::kMaxEventBytes) {
    draft =
        fail(ErrorCode::full, "an observation of " + std::to_string(draft->tail.size()) + " bytes");
  }
  if (!draft) {
    ++refused_;
    log_.error("refused: " + draft.error().text);
    return;
  }
  parts_.sink.take(std::move(*draft), std::move(on_durable));
}

void DriverHost::checkpoint(std::string bytes) {
  BERM_ASSERT(bytes.size() <= kMaxCheckpointBytes);
  parts_.sink.checkpoint(instance_, std::move(bytes));
}

// A clock that runs faster than the world has nothing to learn from it.
drivers::TimeVerdict DriverHost::offer_time(const drivers::TimeOffer& offer) {
  if (parts_.gps_clock == nullptr || parts_.simulated) return drivers::TimeVerdict::ignored;
  return parts_.gps_clock->offer(offer);
}

std::string DriverHost::subject_of(std::string_view subject) const {
  if (subject.empty() || subject == instance_) return instance_;
  return instance_ + "/" + std::string(subject);
}

void DriverHost::begin_alarm(std::string_view alarm, std::string_view subject,
                             drivers::Severity severity, std::string_view text) {
  parts_.alarms.begin_alarm(alarm, subject_of(subject), severity, text);
}

void DriverHost::end_alarm(std::string_view alarm, std::string_view subject) {
  parts_.alarms.end_alarm(alarm, subject_of(subject));
}

Status DriverHost::status() const {
  Status status(instance_);
  status.set("driver", kind_);
  // A running driver knows more of its state than its host.
  const bool has_own_state = driver_ && state_ == "running";
  if (!has_own_state) status.set("state", state_);
  if (refused_ > 0) status.set("refused", refused_);
  if (!driver_) return status;
  const Status own = driver_->status();
  for (const Status::Item& item : own.items()) {
    if (item.name == "driver" || (item.name == "state" && !has_own_state)) continue;
    std::visit([&](const auto& value) { copy_item(status, item.name, value); }, item.value);
  }
  for (const Status& child : own.children()) status.add(child);
  return status;
}

}  // namespace berm::agent
