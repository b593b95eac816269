// SPDX-License-Identifier: Apache-2.0
// AlarmBoard: the alarms that are on. Every component begins and ends its alarms here; each change
// is one log line and one `node.alarm` event (durability sync), handed to the sink that the agent
// gives. Changes before the sink is there (an outbox that has to be set aside at open) wait, at
// most kMaxEarly of them.
//
// An alarm outlives the process: who heard it begin must hear it end, even if the uplink it speaks
// of is no longer configured. So the agent keeps save() with each change and gives it back at the
// next start; what nobody has begun again by end_carried() is over. Loop thread only. Limits:
// kMaxActive alarms at once; one more replaces nothing and is counted; save() has at most
// kMaxSavedBytes, so of very many with long texts some are forgotten by a restart.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/api/alarm.hpp"
#include "drivers/api/observation.hpp"
#include "hal/base/log.hpp"
#include "hal/base/status.hpp"
#include "hal/clock.hpp"

namespace berm::health {

inline constexpr std::size_t kMaxActive = 256;
inline constexpr std::size_t kMaxEarly = 64;
inline constexpr std::size_t kMaxSavedBytes = 60'000;
inline constexpr Seconds kCarriedFor{120};  // uplink_down, say, takes 30 s to begin again

class AlarmBoard final : public drivers::AlarmSink {
 public:
  explicit AlarmBoard(hal::Clock& clock) : clock_(clock) {}

  using Emit = std::function<void(drivers::Row)>;
  // From now on changes go to `emit`, which finds them in save() already; those that waited go
  // first.
  void emit_to(Emit emit);

  void begin_alarm(std::string_view alarm, std::string_view subject, drivers::Severity severity,
                   std::string_view text) override;
  void end_alarm(std::string_view alarm, std::string_view subject) override;

  // What restore() takes: JSON text.
  std::string save() const;
  // The alarms of an earlier life, before any event of this one is emitted; garbage is ignored.
  void restore(std::string_view saved);
  // Ends those that were restored and not begun again since.
  void end_carried();

  std::size_t active() const { return active_.size(); }
  // One child per alarm that is on: alarm, subject, severity, since, text.
  Status status() const;

 private:
  struct Active {
    drivers::Severity severity = drivers::Severity::warning;
    std::string text;
    MonoTime mono;
    std::int64_t since_s = 0;
    bool is_carried = false;  // from an earlier life, and nobody has said it since
  };
  using Key = std::pair<std::string, std::string>;
  void publish(const Key& key, const Active& active, std::string_view state);

  hal::Clock& clock_;
  Log log_{"alarm"};
  Emit emit_;
  std::vector<drivers::Row> early_;
  std::map<Key, Active> active_;
  std::uint64_t refused_ = 0;
};

std::string_view name_of(drivers::Severity severity);

}  // namespace berm::health
