// SPDX-License-Identifier: Apache-2.0
// SystemdNotify: the sd_notify protocol (one datagram with NAME=value lines to the socket that
// NOTIFY_SOCKET names), without libsystemd and its libraries. Owned by main.
//
// Promises: without a socket every call is a no-op. `status` is cut to kMaxNotifyStatus bytes at a
// character's border and made one line. Only `ready` may wait, kNotifyWait at most, while the
// supervisor's queue is full; the other messages are dropped then.
// Thread: the loop's. Fails: silently, but for one warning in its life.
// Source: sd_notify(3), systemd.service(5) (Type=notify, WatchdogSec=).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "hal/base/log.hpp"
#include "hal/base/unique_fd.hpp"
#include "hal/service_notify.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxNotifyStatus = 1000;
inline constexpr Milliseconds kNotifyWait{500};

struct SystemdNotifyOptions {
  std::string socket;        // empty: nobody supervises
  Microseconds watchdog{0};  // 0: no watchdog
  // NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment.
  static SystemdNotifyOptions from_environment();
};

class SystemdNotify final : public ServiceNotify {
 public:
  explicit SystemdNotify(SystemdNotifyOptions options);
  void ready() override;
  void stopping() override;
  void status(std::string_view text) override;
  void watchdog() override;
  Microseconds watchdog_interval() const override { return options_.watchdog; }

 private:
  void send(std::string_view message, int flags);
  const SystemdNotifyOptions options_;
  const Log log_{"service"};
  UniqueFd fd_;
  bool has_warned_ = false;
};

}  // namespace berm::hal
