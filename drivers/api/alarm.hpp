// SPDX-License-Identifier: Apache-2.0
// AlarmSink: where a component says that something is wrong, and that it is right again. An alarm
// is named by (alarm, subject); beginning one that is on, or ending one that is off, has no effect
// (a changed text of one that is on is kept for status, without a new event). firmware/health turns
// each begin and end into a `node.alarm` event, a log line and a retained MQTT message. Loop thread
// only.
#pragma once

#include <string_view>

namespace berm::drivers {

enum class Severity { notice, warning, critical };

class AlarmSink {
 public:
  virtual ~AlarmSink() = default;
  // `alarm`: snake_case kind ("uplink_down"); `subject`: what it is about ("flume"); `text`: one
  // sentence in a technician's words.
  virtual void begin_alarm(std::string_view alarm, std::string_view subject, Severity severity,
                           std::string_view text) = 0;
  virtual void end_alarm(std::string_view alarm, std::string_view subject) = 0;
};

}  // namespace berm::drivers
