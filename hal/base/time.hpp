// SPDX-License-Identifier: Apache-2.0
// The two times, which no conversion mixes: MonoTime (CLOCK_MONOTONIC of this boot; the kernel
// stamps edges with it) and WallTime (microseconds since 1970 UTC). Durations are std::chrono. Only
// hal reads clocks; everyone else is given times. In virtual time the same types carry simulated
// instants.
#pragma once

#include <chrono>
#include <cstdint>

namespace berm {

using Microseconds = std::chrono::duration<std::int64_t, std::micro>;
using Milliseconds = std::chrono::duration<std::int64_t, std::milli>;
using Seconds = std::chrono::duration<std::int64_t>;

struct MonoClock {
  using duration = Microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock, duration>;
  static constexpr bool is_steady = true;
};
struct WallClock {
  using duration = Microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock, duration>;
  static constexpr bool is_steady = false;
};
using MonoTime = MonoClock::time_point;
using WallTime = WallClock::time_point;

constexpr MonoTime mono_us(std::int64_t us) {
  return MonoTime{Microseconds{us}};
}
constexpr WallTime wall_us(std::int64_t us) {
  return WallTime{Microseconds{us}};
}
constexpr WallTime wall_s(std::int64_t s) {
  return WallTime{Seconds{s}};
}
constexpr std::int64_t us_of(MonoTime t) {
  return t.time_since_epoch().count();
}
constexpr std::int64_t us_of(WallTime t) {
  return t.time_since_epoch().count();
}
// Floor to whole milliseconds and seconds, also before 1970.
constexpr std::int64_t ms_of(WallTime t) {
  return std::chrono::floor<Milliseconds>(t).time_since_epoch().count();
}
constexpr std::int64_t s_of(WallTime t) {
  return std::chrono::floor<Seconds>(t).time_since_epoch().count();
}

// Who vouches for a wall time. `none`: a best estimate only.
enum class ClockSource : std::uint8_t { none, rtc, ntp, gps };

constexpr const char* name_of(ClockSource source) {
  switch (source) {
    case ClockSource::rtc:
      return "rtc";
    case ClockSource::ntp:
      return "ntp";
    case ClockSource::gps:
      return "gps";
    case ClockSource::none:
      break;
  }
  return "none";
}

}  // namespace berm
