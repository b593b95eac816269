// SPDX-License-Identifier: Apache-2.0
// A configuration that comes while the agent runs: what differs is stopped and made anew, what does
// not differ never notices.
#include <algorithm>

#include "firmware/agent/agent.hpp"
#include "firmware/agent/remote_side.hpp"
#include "firmware/agent/uplinks.hpp"
#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whatever a dry run's drivers say goes nowhere.
class Nowhere final : public EventSink, public drivers::AlarmSink {
 public:
  void take(event::Draft, std::function<void()>) override {}
  void checkpoint(std::string_view, std::string) override {}
  void begin_alarm(std::string_view, std::string_view, drivers::Severity,
                   std::string_view) override {}
  void end_alarm(std::string_view, std::string_view) override {}
};

bool is_uplink_alarm(std::string_view alarm) {
  return alarm.starts_with("uplink_") || alarm == "no_subscriber" || alarm == "identity_used_twice";
}

bool is_about(const Status& alarm, std::string_view instance) {
  const std::string subject = alarm.text("subject");
  return subject == instance || subject.starts_with(std::string(instance) + "/");
}

bool differs_in_topic(const Json& before, const Json& after, const std::string& component) {
  const Json* const was = before.find("streams");
  const Json* const now = after.find("streams");
  const std::string stream = component.substr(std::string_view("streams/").size());
  const Json* const a = was == nullptr ? nullptr : was->find(stream);
  const Json* const b = now == nullptr ? nullptr : now->find(stream);
  if (a == nullptr || b == nullptr) return true;
  const Json* const x = a->find("topic");
  const Json* const y = b->find("topic");
  return x == nullptr || y == nullptr || *x != *y;
}

}  // namespace

std::vector<control::Change> Agent::changes_to(const control::ParsedConfiguration& next) const {
  return control::changes_between(effective_, next.effective, options_.sources);
}

Agent::Rebuild Agent::rebuild_for(const control::ParsedConfiguration& next) const {
  Rebuild rebuild;
  for (const control::Change& change : changes_to(next)) {
    const std::string& component = change.component;
    if (component.starts_with("drivers/")) {
      rebuild.drivers.push_back(component.substr(8));
    } else if (component.starts_with("uplinks/")) {
      rebuild.uplinks.push_back(component.substr(8));
    } else if (component.starts_with("streams/")) {
      rebuild.outbox = true;
      // The topic travels with every event.
      rebuild.all_uplinks |= differs_in_topic(effective_, next.effective, component);
    } else if (component == "outbox") {
      rebuild.outbox = true;
    } else if (component == "site" || component == "timezone") {
      rebuild.all_drivers = true;
      rebuild.outbox |= component == "timezone";  // whose days merged periods follow
    }
  }
  rebuild.wires = parts_.changes_wires && parts_.changes_wires(configuration_, *next.configuration);
  rebuild.all_drivers = rebuild.all_drivers || rebuild.wires;
  const auto now = outbox_options(configuration_, options_);
  const auto then = outbox_options(*next.configuration, options_);
  // Another set of uplinks is another set of books.
  rebuild.all_uplinks =
      rebuild.all_uplinks || now.uplinks != then.uplinks || now.max_bytes != then.max_bytes;
  rebuild.outbox = rebuild.outbox || rebuild.all_uplinks;
  return rebuild;
}

void Agent::reconfigure(const control::ParsedConfiguration& next,
                        std::function<void(Result<void>)> done) {
  Rebuild rebuild = rebuild_for(next);
  rebuild.failed_before = failed_drivers();
  const auto is_changed = [&](const Instance& instance) {
    return rebuild.all_drivers || has(rebuild.drivers, instance.host->instance());
  };
  for (Instance& instance : drivers_) {
    if (!is_changed(instance)) continue;
    instance.retry->cancel();
    instance.host->stop();
    const Status alarms = alarms_.status();
    for (const Status& alarm : alarms.children()) {
      if (!is_about(alarm, instance.host->instance()) || is_uplink_alarm(alarm.text("alarm"))) {
        continue;
      }
      alarms_.end_alarm(alarm.text("alarm"), alarm.text("subject"));
    }
  }
  std::erase_if(drivers_, is_changed);
  std::erase_if(uplinks_, [&](const UplinkSlot& slot) {
    const bool goes = rebuild.all_uplinks || has(rebuild.uplinks, slot.name);
    if (goes) end_uplink_alarms(slot.name);
    return goes;
  });
  configuration_ = *next.configuration;
  effective_ = next.effective;
  for (const std::string& name : rebuild.failed_before) {
    const bool is_gone = std::none_of(configuration_.drivers.begin(), configuration_.drivers.end(),
                                      [&](const auto& one) { return one.instance == name; });
    if (is_gone) alarms_.end_alarm("driver_failed", name);
  }
  Result<void> result = rebuild_drivers(rebuild);
  if (!rebuild.outbox) {
    rebuild_uplinks(rebuild);
    parts_.loop.post([life = std::weak_ptr(life_), done = std::move(done), result] {
      if (!life.expired()) done(result);
    });
    return;
  }
  outbox_->reconfigure(store_options(),
                       [this, rebuild, result, done = std::move(done)](const Result<void>& stored) {
                         if (!stored) log_.error("the outbox: " + stored.error().text);
                         if (!is_stopping_) rebuild_uplinks(rebuild);
                         done(result ? stored : result);
                       });
}

// All of them, whatever becomes of one: what fails is told, what can count counts.
Result<void> Agent::rebuild_drivers(const Rebuild& rebuild) {
  Result<void> first;
  const auto note = [&](Result<void> result) {
    if (!result && first) first = std::move(result);
  };
  if (parts_.adapt) note(parts_.adapt(configuration_, rebuild.wires, parts_));
  const auto is_running = [&](const std::string& name) {
    return std::any_of(drivers_.begin(), drivers_.end(),
                       [&](const Instance& instance) { return instance.host->instance() == name; });
  };
  const auto note_driver = [&](const std::string& name, Result<void> result) {
    if (!has(rebuild.failed_before, name)) note(std::move(result));
  };
  std::vector<Instance> before = std::exchange(drivers_, {});
  for (const control::DriverConfiguration& driver : configuration_.drivers) {
    const auto kept = std::find_if(before.begin(), before.end(), [&](const Instance& instance) {
      return instance.host && instance.host->instance() == driver.instance;
    });
    if (kept != before.end()) {
      drivers_.push_back(std::move(*kept));
      continue;
    }
    note_driver(driver.instance, add_driver(driver));
    if (!is_running(driver.instance)) continue;
    note_driver(driver.instance, start_driver(drivers_.back()));
  }
  return first;
}

void Agent::rebuild_uplinks(const Rebuild& rebuild) {
  add_uplinks(
      [&](std::string_view name) { return rebuild.all_uplinks || has(rebuild.uplinks, name); });
  std::erase_if(channels_, [&](const auto& channel) { return uplink(channel.first) == nullptr; });
}

void Agent::end_uplink_alarms(std::string_view name) {
  const Status alarms = alarms_.status();
  for (const Status& alarm : alarms.children()) {
    if (alarm.text("subject") != name || !is_uplink_alarm(alarm.text("alarm"))) continue;
    alarms_.end_alarm(alarm.text("alarm"), name);
  }
}

const uplink::Uplink* Agent::uplink(std::string_view name) const {
  const auto slot = std::find_if(uplinks_.begin(), uplinks_.end(),
                                 [&](const UplinkSlot& one) { return one.name == name; });
  return slot == uplinks_.end() ? nullptr : slot->uplink.get();
}

uplink::ControlChannel* Agent::channel(std::string_view uplink) {
  const auto known = channels_.find(uplink);
  return known == channels_.end() ? nullptr : known->second.get();
}

Result<std::unique_ptr<uplink::Transport>> Agent::trial_transport(
    const control::NodeConfiguration& node, const control::UplinkConfiguration& uplink) {
  return make_transport(node, uplink, parts_, clock_, {"", options_.version, nullptr});
}

// A document is not at fault for what did not work before it.
std::vector<std::string> Agent::failed_drivers() const {
  std::vector<std::string> names;
  const Status alarms = alarms_.status();
  for (const Status& alarm : alarms.children()) {
    if (alarm.text("alarm") == "driver_failed") names.push_back(alarm.text("subject"));
  }
  return names;
}

std::vector<std::string> Agent::driver_faults(const control::ParsedConfiguration& next,
                                              const Rebuild& rebuild) {
  std::vector<std::string> faults;
  const std::vector<std::string> failed_before = failed_drivers();
  Nowhere nowhere;
  for (const control::DriverConfiguration& driver : next.configuration->drivers) {
    const bool is_own_change = has(rebuild.drivers, driver.instance);
    if (!rebuild.all_drivers && !is_own_change) continue;
    if (!is_own_change && has(failed_before, driver.instance)) continue;
    DriverHost host(driver.instance, driver_parts(nowhere, nowhere));
    if (const auto made = host.create(*driver.descriptor, driver.options); !made) {
      faults.push_back(option_path("/drivers", driver.instance) + ": " + made.error().text);
    }
  }
  return faults;
}

namespace {

// Uplinks that are being asked, and what they said.
struct Asking {
  explicit Asking(hal::Loop& loop) : timer(loop) {}
  struct One {
    std::string name;
    std::unique_ptr<uplink::Transport> transport;
    bool has_answered = false;
  };
  std::vector<One> ones;
  control::ProbeReport report;
  std::function<void(control::ProbeReport)> done;
  hal::Timer timer;

  void finish() {
    if (!done) return;
    timer.cancel();
    for (const One& one : ones) {
      if (!one.has_answered) report.warnings.push_back("uplink " + one.name + " did not answer");
    }
    ones.clear();
    const auto tell = std::exchange(done, {});
    tell(std::move(report));
  }
  bool is_complete() const {
    return std::all_of(ones.begin(), ones.end(), [](const One& one) { return one.has_answered; });
  }
};

}  // namespace

void Agent::probe(const control::ParsedConfiguration& next,
                  std::function<void(control::ProbeReport)> done) {
  const Rebuild rebuild = rebuild_for(next);
  const auto asking = std::make_shared<Asking>(parts_.loop);
  asking->done = std::move(done);
  asking->report.faults = driver_faults(next, rebuild);
  for (const control::UplinkConfiguration& uplink : next.configuration->uplinks) {
    if (!has(rebuild.uplinks, uplink.name)) continue;
    auto transport = trial_transport(*next.configuration, uplink);
    if (transport) {
      asking->ones.push_back({uplink.name, std::move(*transport), false});
    } else {
      asking->report.warnings.push_back("uplink " + uplink.name + ": " + transport.error().text);
    }
  }
  asking_ = asking;
  // The last answer, or the end of the time; never inside this call. Only the agent keeps it.
  const auto end = [this, weak = std::weak_ptr(asking)] {
    parts_.loop.post([weak] {
      if (const auto still = weak.lock()) still->finish();
    });
  };
  for (std::size_t i = 0; i < asking->ones.size(); ++i) {
    asking->ones[i].transport->probe(
        [weak = std::weak_ptr(asking), i, end](const uplink::Answer& answer) {
          const auto still = weak.lock();
          if (!still) return;
          Asking::One& one = still->ones[i];
          one.has_answered = true;
          if (answer.verdict == uplink::Verdict::failed) {
            still->report.warnings.push_back("uplink " + one.name + ": " + answer.reason);
          }
          if (still->is_complete()) end();
        });
  }
  asking->timer.after(control::kMaxProbe, end);
  if (asking->ones.empty()) end();
}

}  // namespace berm::agent
