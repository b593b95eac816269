// SPDX-License-Identifier: Apache-2.0
#include "tests/support/outbox_bed.hpp"

#include <utility>

#include "hal/base/assert.hpp"
#include "hal/base/json.hpp"

namespace berm::test {
namespace {

constexpr const char* kStateDirectory = "/state/berm";

drivers::When when_of(const hal::Clock& clock, bool does_know_time) {
  const hal::WallReading wall = clock.wall();
  drivers::When when{.mono = clock.mono()};
  if (does_know_time && wall.source != ClockSource::none) {
    when.wall = wall.time;
    when.clock = wall.source;
  }
  return when;
}

}  // namespace

OutboxBed::OutboxBed(std::uint64_t seed)
    : random_(seed),
      loop_(std::make_unique<hal::SimLoop>()),
      clock_(*loop_),
      executor_(std::make_unique<hal::SimExecutor>(*loop_)) {
  disk_.prepare_directory(kStateDirectory);
  options.directory = kStateDirectory;
  options.node = "e19-km31";
  options.machine_id = "machine-1";
  options.uplinks = {{.name = "flume"}};
}

OutboxBed::~OutboxBed() {
  kill();
}

Result<void> OutboxBed::open() {
  BERM_TRY(outbox_,
           outbox::open_outbox(options, {*loop_, *executor_, clock_, random_, disk_, alarms_}));
  loop_->run_for(Microseconds{0});
  return {};
}

void OutboxBed::close() {
  flush();
  outbox_.reset();
  executor_ = std::make_unique<hal::SimExecutor>(*loop_);
}

void OutboxBed::kill() {
  executor_->power_cut();
  // Whatever the dying objects still write did not happen.
  const auto as_it_is = disk_.clone();
  outbox_.reset();
  disk_.restore(*as_it_is, false);
  executor_ = std::make_unique<hal::SimExecutor>(*loop_);
}

void OutboxBed::power_cut(Microseconds off) {
  executor_->power_cut();
  disk_.power_cut(random_);
  outbox_.reset();
  executor_.reset();
  auto next = std::make_unique<hal::SimLoop>();
  clock_.reboot(*next, random_, off);
  loop_ = std::move(next);
  executor_ = std::make_unique<hal::SimExecutor>(*loop_);
  disk_.volume().power_on();
}

bool OutboxBed::append(const drivers::Observation& observation, std::function<void()> on_durable) {
  const drivers::When now = when_of(clock_, does_know_time);
  auto draft = event::write_draft(observation, "e19", {now.mono, now.wall});
  BERM_ASSERT(draft.has_value());
  return outbox_->append(std::move(*draft), std::move(on_durable));
}

bool OutboxBed::append_lane(std::int64_t vehicles, std::function<void()> on_durable) {
  return append(
      drivers::LanePeriod{
          .start = when_of(clock_, does_know_time), .uid = 92301, .lane = "R10", .count = vehicles},
      std::move(on_durable));
}

bool OutboxBed::append_vehicle(std::function<void()> on_durable) {
  return append(drivers::VehiclePassage{.leading_edge = when_of(clock_, does_know_time),
                                        .uid = 92301,
                                        .lane = "R10",
                                        .speed_kmh = 91.5},
                std::move(on_durable));
}

bool OutboxBed::append_row(std::string_view stream, std::function<void()> on_durable) {
  drivers::Row row{.stream = std::string(stream), .when = when_of(clock_, does_know_time)};
  for (const event::FieldSpec& field : event::find_schema(stream)->fields) {
    if (field.nullable) continue;
    if (field.type == event::FieldType::text) {
      row.values.emplace_back(field.name, std::string("x"));
    } else {
      row.values.emplace_back(field.name, std::int64_t{1});
    }
  }
  return append(row, std::move(on_durable));
}

Result<outbox::Batch> OutboxBed::take(outbox::UplinkIndex uplink, outbox::TakeRequest request) {
  std::optional<Result<outbox::Batch>> taken;
  outbox_->take(uplink, request, [&](Result<outbox::Batch> batch) { taken = std::move(batch); });
  for (int step = 0; !taken && step < 100000 && loop_->step(); ++step) {
  }
  if (!taken) return fail(ErrorCode::timeout, "the take was not answered");
  return std::move(*taken);
}

void OutboxBed::settle(outbox::UplinkIndex uplink, const std::vector<event::Event>& events,
                       outbox::Settlement how) {
  std::vector<outbox::Settled> settled;
  for (const event::Event& event : events) {
    settled.push_back({ref_of(event), how, how == outbox::Settlement::refused ? "HTTP 400" : ""});
  }
  outbox_->settle(uplink, std::move(settled));
  loop_->run_for(Microseconds{0});
}

std::vector<event::Event> OutboxBed::drain(outbox::UplinkIndex uplink,
                                           outbox::TakeRequest request) {
  std::vector<event::Event> all;
  while (true) {
    auto batch = take(uplink, request);
    if (!batch || batch->events.empty()) return all;
    settle(uplink, batch->events);
    for (event::Event& event : batch->events) all.push_back(std::move(event));
  }
}

std::vector<outbox::SetAside> OutboxBed::set_aside() {
  std::vector<outbox::SetAside> shelf;
  outbox_->list_set_aside(1, 1000, [&](Result<std::vector<outbox::SetAside>> listed) {
    if (listed) shelf = std::move(*listed);
  });
  loop_->run_for(Seconds{1});
  return shelf;
}

Result<void> OutboxBed::requeue(std::int64_t number) {
  Result<void> result = fail(ErrorCode::timeout, "not answered");
  outbox_->requeue(number, [&](Result<void> answer) { result = std::move(answer); });
  loop_->run_for(Seconds{1});
  return result;
}

void OutboxBed::flush() {
  bool is_done = false;
  outbox_->flush([&] { is_done = true; });
  for (int step = 0; !is_done && step < 100000 && loop_->step(); ++step) {
  }
}

std::string field_of(const event::Event& event, std::string_view name) {
  const auto json = Json::parse(event.line);
  if (!json) return "not JSON";
  const Json* value = json->find(name);
  if (value == nullptr) return "missing";
  return value->is_string() ? value->string() : value->to_text();
}

std::vector<event::Event> only(const std::vector<event::Event>& events, std::string_view stream) {
  std::vector<event::Event> some;
  for (const event::Event& event : events) {
    if (event.schema->name == stream) some.push_back(event);
  }
  return some;
}

}  // namespace berm::test
