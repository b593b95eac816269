// SPDX-License-Identifier: Apache-2.0
// The only contract between a driver and the node. A driver is made from validated options and a
// DriverContext, lives on the loop thread, and never blocks. Constructed = valid and not yet
// running; `start` begins sampling; `stop` ends it and says what was seen so far (checkpoint);
// destruction follows.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/alarm.hpp"
#include "drivers/api/observation.hpp"
#include "drivers/api/time_offer.hpp"
#include "hal/base/command.hpp"
#include "hal/base/log.hpp"
#include "hal/base/option_table.hpp"
#include "hal/base/result.hpp"
#include "hal/base/status.hpp"
#include "hal/base/time_zone.hpp"
#include "hal/child_process.hpp"
#include "hal/clock.hpp"
#include "hal/edge_input.hpp"
#include "hal/http_client.hpp"
#include "hal/loop.hpp"
#include "hal/position_feed.hpp"

namespace berm::drivers {

// What the configuration says about the whole node that drivers may use.
struct Site {
  std::string node;
  Place place;
  std::string timezone = "UTC";
};

// What the node gives a driver. Outlives it. Loop thread only.
class DriverContext : public AlarmSink {
 public:
  virtual hal::Loop& loop() = 0;
  virtual hal::Clock& clock() = 0;
  virtual hal::EdgeInputs& edges() = 0;
  // nullptr where this build or board has none; asked for at start only.
  virtual hal::HttpClient* http() = 0;
  // nullptr where no driver of the configuration has said that it needs them
  // (DriverDescriptor::needs_positions), or they cannot be had; asked for at start only.
  virtual hal::PositionFeeds* positions() { return nullptr; }
  // nullptr where no program can be started (a replay); asked for at start only.
  virtual hal::ChildProcesses* children() { return nullptr; }
  virtual const Site& site() const = 0;
  virtual const Log& log() const = 0;
  // What the clocks on the wall show, by the site's `timezone`; UTC where it is not known.
  virtual const TimeZone& zone() const {
    static const TimeZone utc;
    return utc;
  }

  // Hands an observation over; never blocks. `on_durable` (optional) is called once it is
  // committed. Where the outbox cannot take it, that is a counted, reported loss and `on_durable`
  // is never called.
  virtual void emit(Observation observation, std::function<void()> on_durable = {}) = 0;
  // Opaque bytes (at most 64 kB) the driver wants back at its next start; durable together with,
  // and never before, everything emitted before this call. At most one per turn is kept (the last).
  virtual void checkpoint(std::string bytes) = 0;
  // A time from a source that may be trusted; the answer says what became of it.
  virtual TimeVerdict offer_time(const TimeOffer& offer) {
    static_cast<void>(offer);
    return TimeVerdict::ignored;
  }
};

class Driver {
 public:
  virtual ~Driver() = default;
  // `checkpoint`: what was given to DriverContext::checkpoint last, in this life or an earlier one;
  // empty: none. A checkpoint of another version or garbage is ignored, never an error.
  virtual Result<void> start(std::string_view checkpoint) = 0;
  // Emits nothing that would close a period early; leaves a checkpoint with what was seen.
  virtual void stop() = 0;
  virtual Status status() const = 0;
  virtual std::vector<Command> commands() { return {}; }
};

// How the loops of one lane lie, for whoever has to invent traffic over them (board sim).
struct LoopLane {
  std::string leading, trailing;  // signal names; trailing empty: a single loop
  double loop_length_m = 0.0;
  double spacing_m = 0.0;  // leading edge to leading edge
};

// One per driver folder: `extern const DriverDescriptor NAME_driver;`.
struct DriverDescriptor {
  std::string_view name;     // "loop_detector"
  std::string_view summary;  // one line
  const OptionTable* options;
  // Cross-field checks beyond the table (duplicate uid, pair without spacing): appends faults. It,
  // `uids` and `signals` may see stand-ins of faulty values (hal/base/option_table.hpp).
  void (*check)(const Options& options, std::string_view path, std::vector<OptionFault>& faults);
  // uids this instance reports under, for the node-wide duplicate check; may be null.
  std::vector<std::int64_t> (*uids)(const Options& options);
  // Names of `signals` it claims; may be null.
  std::vector<std::string> (*signals)(const Options& options);
  Result<std::unique_ptr<Driver>> (*create)(std::string_view instance, const Options& options,
                                            DriverContext& context);
  // The loops it would watch, for simulated traffic; may be null.
  std::vector<LoopLane> (*loop_lanes)(const Options& options) = nullptr;
  bool needs_positions = false;  // asks for DriverContext::positions()
  bool needs_http = false;       // asks for DriverContext::http(): the client is loaded for it
  bool needs_children = false;   // asks for DriverContext::children()
};

}  // namespace berm::drivers
