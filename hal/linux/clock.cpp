// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/clock.hpp"

#include <fcntl.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <array>

#include "hal/base/assert.hpp"
#include "hal/base/unique_fd.hpp"

namespace berm::hal {

namespace {

Microseconds read_clock(clockid_t clock) {
  timespec at{};
  BERM_ASSERT(::clock_gettime(clock, &at) == 0);
  return Seconds{at.tv_sec} + Microseconds{at.tv_nsec / 1000};
}

// The kernel's UUID without its newline; empty where it cannot be read.
std::string read_boot_id(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return {};
  std::array<char, 64> buffer;
  const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
  if (count <= 0) return {};
  std::string id(buffer.data(), static_cast<std::size_t>(count));
  id.erase(id.find_last_not_of('\n') + 1);
  return id;
}

// The wall instant of the boot, in 10 s steps so that two starts in one boot mostly agree.
std::string boot_instant() {
  const Microseconds boot = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);
  return "boot-" + std::to_string(std::chrono::floor<Seconds>(boot).count() / 10 * 10);
}

bool is_disciplined() {
  timex state{};
  return ::adjtimex(&state) != -1 && (state.status & STA_UNSYNC) == 0;
}

}  // namespace

MonoTime read_mono_clock() {
  return MonoTime{read_clock(CLOCK_MONOTONIC)};
}

SystemClock::SystemClock(const SystemClockOptions& options)
    : is_rtc_trusted_(options.is_rtc_trusted), boot_id_(read_boot_id(options.boot_id_path)) {
  if (boot_id_.empty()) boot_id_ = boot_instant();
}

WallReading SystemClock::wall() const {
  const ClockSource source = is_disciplined()  ? ClockSource::ntp
                             : is_rtc_trusted_ ? ClockSource::rtc
                                               : ClockSource::none;
  return {WallTime{read_clock(CLOCK_REALTIME)}, source};
}

}  // namespace berm::hal
