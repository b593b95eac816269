// SPDX-License-Identifier: Apache-2.0
// RecordedAlarms: an AlarmSink that remembers what is on, and every begin and end of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "drivers/api/alarm.hpp"

namespace berm::uplink {

class RecordedAlarms final : public drivers::AlarmSink {
 public:
  void begin_alarm(std::string_view alarm, std::string_view subject, drivers::Severity,
                   std::string_view text) override {
    std::string& on = on_[name_of(alarm, subject)];
    if (on.empty()) history.push_back("begin " + name_of(alarm, subject));
    on = text;
  }
  void end_alarm(std::string_view alarm, std::string_view subject) override {
    if (on_.erase(name_of(alarm, subject)) > 0) {
      history.push_back("end " + name_of(alarm, subject));
    }
  }
  bool is_on(const std::string& name) const { return on_.contains(name); }
  std::string text(const std::string& name) const {
    const auto found = on_.find(name);
    return found == on_.end() ? "" : found->second;
  }
  std::vector<std::string> history;

 private:
  static std::string name_of(std::string_view alarm, std::string_view subject) {
    return std::string(alarm) + "/" + std::string(subject);
  }
  std::map<std::string, std::string> on_;
};

}  // namespace berm::uplink
