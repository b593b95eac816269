// SPDX-License-Identifier: Apache-2.0
// PositionFeed: what a satellite receiver says, as gpsd reports it. linux/: gpsd over TCP, read
// with libgps, a module loaded when the configuration names a receiver; sim/: a test says the
// fixes. The feed connects by itself and for ever (backoff 1…30 s); it judges nothing: every report
// is handed over as it came, also those without a fix. What the receiver did not say, or said as
// NaN or as a number no such value can have, is absent. Delivery on the loop, never inside `start`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hal/base/result.hpp"
#include "hal/base/status.hpp"
#include "hal/base/time.hpp"

namespace berm::hal {

struct PositionFix {
  MonoTime time;                           // when the report reached us
  std::optional<WallTime> gps_time;        // of the fix, by the receiver; UTC
  std::optional<Microseconds> time_error;  // of gps_time, without the way to us
  int mode = 0;                            // 0 not said, 1 no fix, 2 without, 3 with altitude
  std::optional<double> lat, lon;          // degrees, WGS 84; -90…90, -180…180
  std::optional<double> error_m;           // horizontal, estimated
  std::optional<double> alt_m;             // above mean sea level
  std::optional<double> speed_mps;         // over ground, ≥ 0
  std::optional<double> track_deg;         // course over ground, 0…360 from true north
  std::optional<std::int64_t> satellites;  // used, as last said
};

class PositionFeed {
 public:
  virtual ~PositionFeed() = default;
  using OnFix = std::function<void(const PositionFix&)>;
  // `is_up`: gpsd answers (whatever the receiver does). Told at each change, the first time when
  // the first attempt has ended; `reason` says why it is down. May not destroy the feed.
  using OnState = std::function<void(bool is_up, const std::string& reason)>;
  // Once per object.
  virtual void start(OnFix on_fix, OnState on_state) = 0;
  // state (connecting, up, down), reason, connects, reports, malformed.
  virtual Status status() const = 0;
};

class PositionFeeds {
 public:
  virtual ~PositionFeeds() = default;
  // `address`: host:port of gpsd, [address]:port for IPv6. Error invalid: it is none.
  virtual Result<std::unique_ptr<PositionFeed>> open(const std::string& address) = 0;
};

}  // namespace berm::hal
