// SPDX-License-Identifier: Apache-2.0
// SystemClock: CLOCK_MONOTONIC and CLOCK_REALTIME of this machine, and who vouches for the latter:
// `ntp` while the kernel says that something disciplines its clock (adjtimex without STA_UNSYNC;
// chrony, ntpd and systemd-timesyncd all clear it), else `rtc` where the board declares its clock
// right, else `none`. Owned by main; read by everyone through hal::Clock.
//
// Thread: any. A reading costs under 1 µs (vDSO; adjtimex is one system call, made at each `wall`).
// Fails: never; without /proc the boot id is made from the boot's instant (still one per boot).
// Source: adjtimex(2), proc(5) sys/kernel/random/boot_id.
#pragma once

#include <string>

#include "hal/clock.hpp"

namespace berm::hal {

// For the files of hal/linux that stamp by themselves.
MonoTime read_mono_clock();

struct SystemClockOptions {
  bool is_rtc_trusted = false;  // the board's `clock: "rtc"`
  std::string boot_id_path = "/proc/sys/kernel/random/boot_id";
};

class SystemClock final : public Clock {
 public:
  explicit SystemClock(const SystemClockOptions& options);
  MonoTime mono() const override { return read_mono_clock(); }
  WallReading wall() const override;
  const std::string& boot_id() const override { return boot_id_; }

 private:
  bool is_rtc_trusted_;
  std::string boot_id_;
};

}  // namespace berm::hal
