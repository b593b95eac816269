// SPDX-License-Identifier: Apache-2.0
// Lines as gpsd sends them, and the driver's filter behind: whatever comes, a fix keeps its ranges
// and no event comes without a believable one.
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "drivers/gps_position/fix_filter.hpp"
#include "hal/base/assert.hpp"
#include "hal/linux/gpsd_report.hpp"

namespace {

using berm::drivers::gps_position::FixFilter;
using berm::drivers::gps_position::FixVerdict;

bool is_within(const std::optional<double>& value, double min, double max) {
  return !value || (*value >= min && *value <= max);
}

void check(const berm::hal::PositionFix& fix) {
  BERM_ASSERT(fix.mode >= 0 && fix.mode <= 3);
  BERM_ASSERT(is_within(fix.lat, -90, 90) && is_within(fix.lon, -180, 180));
  BERM_ASSERT(!fix.error_m || (std::isfinite(*fix.error_m) && *fix.error_m > 0));
  BERM_ASSERT(is_within(fix.speed_mps, 0, 1e5) && is_within(fix.track_deg, 0, 360));
  BERM_ASSERT(!fix.time_error || fix.time_error->count() > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  berm::hal::GpsdReports reports;
  FixFilter filter{{}};
  berm::MonoTime now = berm::mono_us(1'000'000);
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    std::string line(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    now += berm::Milliseconds{300};
    if (reports.take(line, now) != berm::hal::GpsdReport::fix) continue;
    const berm::hal::PositionFix& fix = reports.fix();
    check(fix);
    if (filter.take(fix, now) == FixVerdict::event) {
      BERM_ASSERT(fix.mode >= 2 && fix.lat && fix.lon && fix.error_m && *fix.error_m <= 100.0);
    }
  }
  return 0;
}
