// SPDX-License-Identifier: Apache-2.0
// NodeConfiguration: everything the configuration document says, checked and typed; the agent
// builds the node from it and nothing else. Made by parse_configuration() only, whole or not at
// all, so a reader may rely on every cross-check named there. Durations are typed, sizes are bytes,
// URLs are taken apart. Files that the document names relatively are relative to its own folder and
// resolved here, except in driver options, which are the driver's. Descriptors are borrowed and
// live as long as the program. Defaults are not written here but in options.cpp. Plain values; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "drivers/api/driver.hpp"
#include "firmware/control/url.hpp"
#include "hal/base/option_table.hpp"
#include "hal/base/time.hpp"

namespace berm::control {

struct DriverConfiguration {
  std::string instance;
  const drivers::DriverDescriptor* descriptor = nullptr;
  Options options;  // of descriptor->options
};

enum class WhenFull { conserve, oldest, refuse };

// One for every known stream, named in the document or not.
struct StreamPolicy {
  std::string stream;
  std::string topic;
  std::optional<Milliseconds> group;  // none: sync, every event is committed at once
  Milliseconds stretched{0};          // how long it may become to save writes; 0: as it is
  WhenFull when_full = WhenFull::oldest;
  Seconds max_age{0};  // 0: no limit
};

struct OutboxConfiguration {
  std::int64_t max_bytes = 0;
  Seconds keep_delivered{0};
  Seconds hold_for_clock{0};
  std::int64_t write_budget_day_bytes = 0;  // 0: none
};

// Paths; empty: not given. The password is read from its file when a connection is made.
struct TlsFiles {
  std::string ca_file, cert_file, key_file;
};
struct Credentials {
  std::string user, password_file;
};

struct HttpUplinkConfiguration {
  Url url;
  std::string format;  // "flume"
  Milliseconds timeout{0};
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<Url> proxy;
  Credentials credentials;
  TlsFiles tls;
};

enum class MqttPayload { lines, event };
enum class NoSubscriber { hold, pass };

struct MqttUplinkConfiguration {
  Url url;
  MqttPayload payload = MqttPayload::lines;
  std::size_t max_message_bytes = 0;
  Seconds keepalive{0};
  Milliseconds timeout{0};
  NoSubscriber no_subscriber = NoSubscriber::hold;
  Credentials credentials;
  TlsFiles tls;
};

struct FileUplinkConfiguration {
  std::string directory;
  bool require_mount = false;
};

enum class BackfillOrder { oldest, newest };

struct UplinkConfiguration {
  std::string name;
  std::vector<std::string> streams;  // globs
  bool hold = true;                  // what it has not delivered keeps its place in the outbox
  BackfillOrder order = BackfillOrder::oldest;
  Seconds live{0};
  double backfill_min_share = 0.0;
  std::optional<std::int64_t> budget_day_bytes, budget_month_bytes;
  std::size_t batch_events = 0;
  Milliseconds linger{0};  // only while a request is in flight
  std::variant<HttpUplinkConfiguration, MqttUplinkConfiguration, FileUplinkConfiguration> way;
};

struct BusConfiguration {
  std::string name, device, mode;
  std::int64_t baud = 0;
};

struct GpioSignal {
  std::string connector;  // "header/11", as the board names it
  bool active_low = false;
  bool operator==(const GpioSignal&) const = default;
};
struct ModbusSignal {
  std::string bus;
  int unit = 0;
  int input = 0;
  bool active_low = false;
  bool operator==(const ModbusSignal&) const = default;
};
struct SignalConfiguration {
  std::string name;
  std::variant<GpioSignal, ModbusSignal> wire;
  bool operator==(const SignalConfiguration&) const = default;
};

struct RemoteConfiguration {
  std::string uplink;
  Seconds confirm{0};
  std::vector<std::string> groups;
  std::string public_key_file;        // empty: documents need no signature
  std::int64_t sequence_floor = 0;    // documents up to it are ignored
  std::vector<std::string> commands;  // those that are answered
};

struct SimulationConfiguration {
  std::string signals;  // a recording; empty: generated traffic
  double flow_veh_h = 0.0;
  std::int64_t seed = 0;
  double rate = 1.0;
  bool operator==(const SimulationConfiguration&) const = default;
};

struct NodeConfiguration {
  std::string node;
  std::string board;
  drivers::Site site;  // node and timezone included
  std::vector<BusConfiguration> buses;
  std::vector<SignalConfiguration> signals;
  std::vector<DriverConfiguration> drivers;
  std::vector<StreamPolicy> streams;
  OutboxConfiguration outbox;
  std::vector<UplinkConfiguration> uplinks;
  std::optional<RemoteConfiguration> remote;
  std::optional<Endpoint> local_http;
  std::optional<std::vector<std::string>> allowed_topics;  // none given: any topic
  // Given in the document, or the board is "sim".
  std::optional<SimulationConfiguration> simulation;
};

}  // namespace berm::control
