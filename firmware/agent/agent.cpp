// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/agent.hpp"

#include <algorithm>

#include "firmware/agent/remote_side.hpp"
#include "firmware/agent/uplinks.hpp"
#include "firmware/health/health_report.hpp"
#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

constexpr std::string_view kAlarmsKey = "@alarms";  // no driver can have this name

std::string draw_instance(hal::Random& random) {
  return text_of("%016llx", static_cast<unsigned long long>(random.next_u64()));
}

// The zone's rules from the system's table; UTC where it does not know the zone.
TimeZone civil_zone(const hal::Disk& disk, const std::string& name, const Log& log) {
  const auto bytes = disk.read("/usr/share/zoneinfo/" + name, TimeZone::kMaxFileBytes);
  auto zone = bytes ? TimeZone::from_file(*bytes) : fail(bytes.error());
  if (zone) return std::move(*zone);
  if (name != "UTC") log.notice("civil days follow UTC: " + zone.error().text);
  return TimeZone();
}

}  // namespace

Agent::Agent(control::NodeConfiguration configuration, AgentOptions options,
             const AgentParts& parts)
    : configuration_(std::move(configuration)),
      options_(std::move(options)),
      effective_(std::move(options_.effective_document)),
      parts_(parts),
      clock_(parts.clock, options_.built),
      started_(parts.clock.mono()),
      instance_(draw_instance(parts.random)),
      alarms_(clock_),
      tails_(configuration_.node, clock_),
      health_timer_(parts.loop),
      carried_timer_(parts.loop) {}

Agent::~Agent() = default;

Result<std::unique_ptr<Agent>> Agent::create(control::NodeConfiguration configuration,
                                             AgentOptions options, const AgentParts& parts) {
  std::unique_ptr<Agent> agent(new Agent(std::move(configuration), std::move(options), parts));
  BERM_CHECK(agent->open());
  return agent;
}

Result<void> Agent::open() {
  const outbox::OutboxParts parts{parts_.loop,   parts_.disk_executor, clock_,
                                  parts_.random, parts_.disk,          alarms_};
  BERM_TRY(outbox_, outbox::open_outbox(store_options(), parts));
  exports_ = std::make_unique<Exports>(parts_.loop, *outbox_);
  alarms_.restore(outbox_->checkpointed(kAlarmsKey));
  alarms_.emit_to([this](drivers::Row row) {
    outbox_->checkpoint(kAlarmsKey, alarms_.save());  // first: then both are in one commit
    publish_alarm(row);
    emit_row(std::move(row), "agent");
  });
  if (configuration_.remote) remote_ = std::make_unique<RemoteSide>(*this);
  add_uplinks([](std::string_view) { return true; });
  for (const control::DriverConfiguration& driver : configuration_.drivers) {
    static_cast<void>(add_driver(driver));  // its alarm says so
  }
  return {};
}

// Blocking: reads the zone's table.
outbox::OutboxOptions Agent::store_options() const {
  outbox::OutboxOptions store = outbox_options(configuration_, options_);
  store.zone = civil_zone(parts_.disk, configuration_.site.timezone, log_);
  return store;
}

void Agent::add_uplinks(const std::function<bool(std::string_view)>& is_wanted) {
  for (std::size_t i = 0; i < configuration_.uplinks.size(); ++i) {
    const control::UplinkConfiguration& uplink = configuration_.uplinks[i];
    if (!is_wanted(uplink.name)) continue;
    if (const auto added = add_uplink(uplink, i); !added) {
      alarms_.begin_alarm("uplink_failed", uplink.name, drivers::Severity::critical,
                          added.error().text);
    }
  }
}

Result<void> Agent::add_uplink(const control::UplinkConfiguration& uplink,
                               outbox::UplinkIndex index) {
  uplink::ControlChannel* channel = nullptr;
  if (std::holds_alternative<control::MqttUplinkConfiguration>(uplink.way)) {
    auto& own = channels_[uplink.name];
    if (!own) own = make_channel(uplink.name);
    channel = own.get();
  }
  BERM_TRY(auto transport, make_transport(configuration_, uplink, parts_, clock_,
                                          {instance_, options_.version, channel}));
  const uplink::UplinkParts parts{parts_.loop, clock_, parts_.random, *outbox_, alarms_};
  auto forwarder =
      uplink::make_forwarder(forwarder_options(uplink, index), std::move(transport), parts);
  if (is_started_) forwarder->start();
  const auto after = std::find_if(uplinks_.begin(), uplinks_.end(),
                                  [&](const UplinkSlot& slot) { return slot.index > index; });
  uplinks_.insert(after, UplinkSlot{uplink.name, index, std::move(forwarder)});
  return {};
}

DriverParts Agent::driver_parts(EventSink& sink, drivers::AlarmSink& alarms) {
  const bool simulated = configuration_.simulation && configuration_.simulation->rate != 1.0;
  return {parts_.loop,         clock_, parts_.edges, parts_.http,      alarms,
          configuration_.site, sink,   simulated,    parts_.positions, parts_.children, &clock_,
          parts_.read_zone};
}

Result<void> Agent::add_driver(const control::DriverConfiguration& driver) {
  Instance instance{std::make_unique<DriverHost>(driver.instance, driver_parts(*this, alarms_)),
                    std::make_unique<hal::Timer>(parts_.loop)};
  auto created = instance.host->create(*driver.descriptor, driver.options);
  if (!created) {
    alarms_.begin_alarm("driver_failed", driver.instance, drivers::Severity::critical,
                        created.error().text);
    return created;
  }
  drivers_.push_back(std::move(instance));
  return {};
}

Result<void> Agent::start() {
  if (parts_.listeners != nullptr && !options_.socket_path.empty()) {
    hal::StreamListenerOptions socket;
    socket.path = options_.socket_path;
    BERM_TRY(shell_, shell::ShellServer::open(parts_.loop, *parts_.listeners, socket,
                                              [this] { return commands(); }));
  }
  if (!options_.configuration_fault.empty()) {
    alarms_.begin_alarm("configuration_invalid", "file", drivers::Severity::critical,
                        "running on the last confirmed document: " + options_.configuration_fault);
  }
  carried_timer_.after(health::kCarriedFor, [this] { alarms_.end_carried(); });
  for (Instance& instance : drivers_) static_cast<void>(start_driver(instance));
  is_started_ = true;
  for (const UplinkSlot& slot : uplinks_) slot.uplink->start();
  if (remote_) remote_->start();
  report_health();
  return {};
}

Result<void> Agent::start_driver(Instance& instance) {
  DriverHost& host = *instance.host;
  auto started = host.start(outbox_->checkpointed(host.instance()));
  if (started) {
    alarms_.end_alarm("driver_failed", host.instance());
    return started;
  }
  alarms_.begin_alarm("driver_failed", host.instance(), drivers::Severity::critical,
                      started.error().text);
  instance.retry->after(kDriverRetry, [this, &host] {
    for (Instance& each : drivers_) {
      if (each.host.get() == &host) static_cast<void>(start_driver(each));
    }
  });
  return started;
}

void Agent::stop(std::function<void()> done) {
  is_stopping_ = true;
  if (remote_) remote_->stop();
  health_timer_.cancel();
  carried_timer_.cancel();
  for (Instance& instance : drivers_) {
    instance.retry->cancel();
    instance.host->stop();
  }
  // What the drivers left is durable first; delivering it is a bonus; what was delivered is written
  // down.
  outbox_->flush([this, done = std::move(done)]() mutable {
    stop_uplinks([this, done = std::move(done)]() mutable { outbox_->flush(std::move(done)); });
  });
}

void Agent::stop_uplinks(std::function<void()> done) {
  stopping_ = uplinks_.size();
  if (stopping_ == 0) return done();
  const auto shared = std::make_shared<std::function<void()>>(std::move(done));
  for (const UplinkSlot& slot : uplinks_) {
    slot.uplink->stop(kStopGrace, [this, shared] {
      if (--stopping_ == 0) (*shared)();
    });
  }
}

void Agent::take(event::Draft draft, std::function<void()> on_durable) {
  // The outbox counts and reports what it cannot take.
  static_cast<void>(outbox_->append(std::move(draft), std::move(on_durable)));
}

void Agent::checkpoint(std::string_view instance, std::string bytes) {
  outbox_->checkpoint(instance, std::move(bytes));
}

void Agent::emit_row(drivers::Row row, std::string_view source) {
  event::Made made{clock_.mono(), std::nullopt};
  if (const auto wall = clock_.wall(); wall.source != ClockSource::none) made.wall = wall.time;
  auto draft = event::write_draft(row, source, made);
  if (!draft) return log_.error("refused: " + draft.error().text);
  take(std::move(*draft), {});
}

void Agent::report_health() {
  emit_row(health::health_row(status(), clock_), "agent");
  health_timer_.after(health::kHealthInterval, [this] { report_health(); });
}

Status Agent::status() const {
  const hal::WallReading wall = clock_.wall();
  Status root("berm");
  root.set("version", options_.version)
      .set("node", configuration_.node)
      .set("board", configuration_.board);
  root.set("epoch", outbox_->epoch());
  root.set("uptime_s", std::chrono::duration_cast<Seconds>(clock_.mono() - started_).count());
  root.set("clock", name_of(wall.source)).set("time_utc", iso8601(s_of(wall.time)));
  root.set("config_sha", remote_ ? remote_->config_sha() : options_.config_sha);
  if (!options_.restart_cause.empty()) root.set("restart_cause", options_.restart_cause);
  Status drivers("drivers");
  for (const Instance& instance : drivers_) drivers.add(instance.host->status());
  root.add(std::move(drivers)).add(outbox_->status());
  if (clock_.has_been_offered()) root.add(clock_.status());
  Status uplinks("uplinks");
  for (const UplinkSlot& slot : uplinks_) uplinks.add(slot.uplink->status());
  root.add(std::move(uplinks)).add(alarms_.status());
  if (remote_) root.add(remote_->status());
  return root;
}

}  // namespace berm::agent
