// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "firmware/control/configuration_sections.hpp"
#include "firmware/control/limits.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

void check_uids(const NodeConfiguration& configuration, Faults& faults) {
  std::map<std::int64_t, std::string_view> owners;
  for (const DriverConfiguration& driver : configuration.drivers) {
    if (driver.descriptor->uids == nullptr) continue;
    for (const std::int64_t uid : driver.descriptor->uids(driver.options)) {
      if (uid < 0) continue;  // stands for a faulty one
      const auto [owner, is_new] = owners.emplace(uid, driver.instance);
      if (is_new || owner->second == driver.instance) continue;
      faults.push_back({option_path("/drivers", driver.instance),
                        text_of("uid %lld also belongs to driver \"", static_cast<long long>(uid)) +
                            std::string(owner->second) + "\""});
    }
  }
}

void check_wired(const NodeConfiguration& configuration, const std::string& signal,
                 const std::string& path, Faults& faults) {
  if (configuration.board == "sim") return;
  std::vector<std::string_view> known;
  known.reserve(configuration.signals.size());
  for (const SignalConfiguration& wired : configuration.signals) known.push_back(wired.name);
  if (std::find(known.begin(), known.end(), signal) != known.end()) return;
  std::string text = "signal \"" + signal + "\" is not among /signals";
  const std::string_view near = nearest(signal, known);
  if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
  faults.push_back({path, std::move(text)});
}

void check_signals(const NodeConfiguration& configuration, Faults& faults) {
  std::map<std::string, std::string_view> owners;
  for (const DriverConfiguration& driver : configuration.drivers) {
    if (driver.descriptor->signals == nullptr) continue;
    const std::string path = option_path("/drivers", driver.instance);
    for (const std::string& signal : driver.descriptor->signals(driver.options)) {
      const auto [owner, is_new] = owners.emplace(signal, driver.instance);
      if (is_new) check_wired(configuration, signal, path, faults);
      if (is_new || owner->second == driver.instance) continue;
      faults.push_back({path, "signal \"" + signal + "\" also belongs to driver \"" +
                                  std::string(owner->second) + "\""});
    }
  }
}

bool has_bus(const NodeConfiguration& configuration, const std::string& name) {
  return std::any_of(configuration.buses.begin(), configuration.buses.end(),
                     [&](const BusConfiguration& bus) { return bus.name == name; });
}

void check_wires(const NodeConfiguration& configuration, Faults& faults) {
  std::map<std::string, std::string_view> owners;
  for (const SignalConfiguration& signal : configuration.signals) {
    const std::string path = option_path("/signals", signal.name);
    std::string wire;
    if (const auto* gpio = std::get_if<GpioSignal>(&signal.wire)) {
      wire = gpio->connector;
      if (wire.empty()) continue;  // stands for a faulty one
    } else {
      const auto& modbus = std::get<ModbusSignal>(signal.wire);
      wire = text_of("unit %d input %d of ", modbus.unit, modbus.input) + modbus.bus;
      if (!has_bus(configuration, modbus.bus)) {
        faults.push_back({option_path(path, "modbus"), "no bus \"" + modbus.bus + "\" in /buses"});
      }
    }
    const auto [owner, is_new] = owners.emplace(wire, signal.name);
    if (is_new) continue;
    faults.push_back({path, wire + " is already signal \"" + std::string(owner->second) + "\""});
  }
}

const Url* url_of(const UplinkConfiguration& uplink) {
  if (const auto* http = std::get_if<HttpUplinkConfiguration>(&uplink.way)) return &http->url;
  if (const auto* mqtt = std::get_if<MqttUplinkConfiguration>(&uplink.way)) return &mqtt->url;
  return nullptr;
}

// A broker knows its clients by their id, which is the node's name: the second connection would end
// the first.
void check_brokers(const NodeConfiguration& configuration, Faults& faults) {
  std::map<std::pair<std::string, int>, std::string_view> owners;
  for (const UplinkConfiguration& uplink : configuration.uplinks) {
    const auto* const mqtt = std::get_if<MqttUplinkConfiguration>(&uplink.way);
    if (mqtt == nullptr || mqtt->url.host.empty()) continue;
    const auto [owner, is_new] =
        owners.emplace(std::pair(mqtt->url.host, mqtt->url.port), uplink.name);
    if (is_new) continue;
    faults.push_back({option_path(option_path("/uplinks", uplink.name), "url"),
                      "is the broker of uplink \"" + std::string(owner->second) +
                          "\" already: a broker takes one connection of a node"});
  }
}

// Time that runs at another pace would reach the real receivers as measurements of the future.
void check_simulation(const NodeConfiguration& configuration, Faults& faults) {
  if (!configuration.simulation || configuration.simulation->rate == 1.0) return;
  for (const UplinkConfiguration& uplink : configuration.uplinks) {
    const Url* const url = url_of(uplink);
    if (url == nullptr || url->host.empty() || is_loopback(url->host)) continue;
    faults.push_back(
        {option_path(option_path("/uplinks", uplink.name), "url"),
         "must be on loopback while /simulation/rate is not 1, is \"" + url->host + "\""});
  }
}

}  // namespace

void check_between_sections(const NodeConfiguration& configuration, Faults& faults) {
  check_uids(configuration, faults);
  check_signals(configuration, faults);
  check_wires(configuration, faults);
  check_brokers(configuration, faults);
  check_simulation(configuration, faults);
}

void check_remote(const NodeConfiguration& configuration, const RemoteConfiguration& remote,
                  bool is_unsigned, Faults& faults) {
  const auto uplink = std::find_if(
      configuration.uplinks.begin(), configuration.uplinks.end(),
      [&](const UplinkConfiguration& candidate) { return candidate.name == remote.uplink; });
  if (uplink == configuration.uplinks.end()) {
    faults.push_back({"/remote/uplink", "no sound uplink \"" + remote.uplink + "\" in /uplinks"});
  } else if (!std::holds_alternative<MqttUplinkConfiguration>(uplink->way)) {
    faults.push_back(
        {"/remote/uplink", "must be an mqtt uplink; \"" + remote.uplink + "\" is not"});
  }
  if (remote.groups.size() > kMaxGroups) {
    faults.push_back({"/remote/groups", text_of("at most %zu groups", kMaxGroups)});
  }
  if (remote.public_key_file.empty() && !is_unsigned) {
    faults.push_back(
        {"/remote",
         "name a public_key_file (documents must then be signed), or set \"unsigned\": "
         "true to take documents from anyone who may publish to the broker"});
  }
  if (!remote.public_key_file.empty() && is_unsigned) {
    faults.push_back({"/remote/unsigned", "contradicts public_key_file: leave one of them out"});
  }
}

}  // namespace berm::control
