// SPDX-License-Identifier: Apache-2.0
// UplinkAlarms: what a technician is told of one uplink, begin and end. The subject is the uplink's
// name.
//   uplink_down            trouble without a break for kDownAfter; ends with a delivery, or, if the
//                          connection was the trouble, once one has lasted kConnectedAfter
//   uplink_rejecting       refuses everything it is sent; ends with a delivery
//   uplink_refused         events were set aside; ends kRefusedAlarmFor after the last
//   uplink_not_authorized, uplink_certificate, no_subscriber    at once; end with a delivery (the
//   first
//                          two also with a connection that lasts)
//   identity_used_twice    at once; ends kIdentityAlarmFor after the last takeover
// Timers only while something is wrong. Loop thread; used by one forwarder. A stop ends no alarm:
// nothing became right.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "drivers/api/alarm.hpp"
#include "firmware/uplink/uplink.hpp"
#include "hal/loop.hpp"

namespace berm::uplink {

class UplinkAlarms {
 public:
  UplinkAlarms(std::string name, hal::Loop& loop, drivers::AlarmSink& sink);

  // An answer that moved nothing; `waiting`: events that wait for this uplink.
  void failed(const std::string& reason, Trouble trouble, std::int64_t waiting);
  void lost(const std::string& reason, Trouble trouble, std::int64_t waiting);
  void connected();
  void delivered();
  void rejecting(const std::string& reason);
  void set_aside(const std::string& reason);

  bool is_down() const { return is_down_; }

 private:
  enum class Cause { none, connection, answer };
  void suffer(Cause cause, const std::string& reason, Trouble trouble, std::int64_t waiting);
  void begin_trouble(Trouble trouble, const std::string& reason);
  void tell_down();
  void end_down();
  void end(std::string_view alarm) { sink_.end_alarm(alarm, name_); }

  const std::string name_;
  hal::Loop& loop_;
  drivers::AlarmSink& sink_;
  Cause cause_ = Cause::none;
  MonoTime since_;
  std::string reason_;
  std::int64_t waiting_ = 0;
  bool is_down_ = false;
  std::int64_t set_aside_ = 0;  // since the alarm began
  bool is_taken_over_ = false;
  hal::Timer down_timer_;
  hal::Timer connected_timer_;
  hal::Timer refused_timer_;
  hal::Timer identity_timer_;
};

}  // namespace berm::uplink
