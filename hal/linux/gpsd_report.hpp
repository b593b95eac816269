// SPDX-License-Identifier: Apache-2.0
// GpsdReports: one line of gpsd's JSON becomes a fix, by libgps's gps_unpack (its documented way
// for programs that read the socket themselves). Used by gpsd_feed and its tests.
//
// A report is believed only whole: one JSON object, mode 0…3. Values that are absent, NaN, infinite
// or out of their range are absent in the fix; so are a time of 0, an error estimate of 0, an
// altitude without mode 3 and a position without mode 2 or 3. Error: eph, else √(epx² + epy²).
// Satellites: those listed as used, else `uSat`, if not older than kSatellitesFresh; 0 of a fix is
// absent. (gps_unpack is given a line made anew of the members that matter: of some it never ends.)
//
// Thread: the loop's. Memory: 25 kB, of libgps. Fails: never; what makes no sense is `malformed`.
// Source: gpsd_json(5), libgps(3), gpsd 3.22.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "hal/base/json.hpp"
#include "hal/position_feed.hpp"

namespace berm::hal {

inline constexpr Seconds kSatellitesFresh{15};

enum class GpsdReport { other, fix, malformed };

class GpsdReports {
 public:
  GpsdReports();
  ~GpsdReports();
  // `line` without its newline. Where it says `fix`, that is in fix().
  GpsdReport take(std::string_view line, MonoTime now);
  const PositionFix& fix() const { return fix_; }

 private:
  struct Unpacked;  // libgps's
  void take_sky(const Json& said, MonoTime now);
  void read_fix(MonoTime now);
  std::unique_ptr<Unpacked> unpacked_;
  PositionFix fix_;
  std::optional<std::int64_t> satellites_;
  MonoTime satellites_at_;
};

}  // namespace berm::hal
