// SPDX-License-Identifier: Apache-2.0
#include "firmware/health/alarm_board.hpp"

#include "hal/base/json.hpp"

namespace berm::health {
namespace {

drivers::Severity severity_of(std::string_view name) {
  for (const auto severity : {drivers::Severity::critical, drivers::Severity::warning}) {
    if (name == name_of(severity)) return severity;
  }
  return drivers::Severity::notice;
}

}  // namespace

std::string_view name_of(drivers::Severity severity) {
  switch (severity) {
    case drivers::Severity::critical:
      return "critical";
    case drivers::Severity::warning:
      return "warning";
    case drivers::Severity::notice:
      break;
  }
  return "notice";
}

void AlarmBoard::emit_to(Emit emit) {
  emit_ = std::move(emit);
  std::vector<drivers::Row> early;
  early.swap(early_);
  for (drivers::Row& row : early) emit_(std::move(row));
}

void AlarmBoard::begin_alarm(std::string_view alarm, std::string_view subject,
                             drivers::Severity severity, std::string_view text) {
  const Key key{alarm, subject};
  if (const auto known = active_.find(key); known != active_.end()) {
    known->second.text = text;
    known->second.is_carried = false;
    return;
  }
  if (active_.size() == kMaxActive) {
    ++refused_;
    return;
  }
  const Active& active = active_
                             .emplace(key, Active{severity, std::string(text), clock_.mono(),
                                                  s_of(clock_.wall().time)})
                             .first->second;
  log_.warning(key.first + " " + key.second + ": " + active.text);
  publish(key, active, "begin");
}

void AlarmBoard::end_alarm(std::string_view alarm, std::string_view subject) {
  const auto known = active_.find(Key{alarm, subject});
  if (known == active_.end()) return;
  const auto node = active_.extract(known);
  log_.notice(node.key().first + " " + node.key().second + ": over");
  publish(node.key(), node.mapped(), "end");
}

void AlarmBoard::publish(const Key& key, const Active& active, std::string_view state) {
  const hal::WallReading wall = clock_.wall();
  const bool known = wall.source != ClockSource::none;
  drivers::Row row;
  row.stream = "node.alarm";
  row.when = {clock_.mono(), known ? std::optional(wall.time) : std::nullopt, wall.source};
  row.values = {{"alarm", key.first},
                {"subject", key.second},
                {"severity", std::string(name_of(active.severity))},
                {"state", std::string(state)},
                {"text", active.text}};
  if (known) row.values.emplace_back("since", active.since_s);
  if (emit_) {
    emit_(std::move(row));
  } else if (early_.size() < kMaxEarly) {
    early_.push_back(std::move(row));
  } else {
    ++refused_;
  }
}

std::string AlarmBoard::save() const {
  Json::Array saved;
  std::size_t bytes = 2;
  for (const auto& [key, active] : active_) {
    Json one;
    one.set("alarm", key.first);
    one.set("subject", key.second);
    one.set("severity", name_of(active.severity));
    one.set("since", active.since_s);
    one.set("text", active.text);
    bytes += one.to_text().size() + 1;
    if (bytes > kMaxSavedBytes) break;
    saved.push_back(std::move(one));
  }
  return Json(std::move(saved)).to_text();
}

void AlarmBoard::restore(std::string_view saved) {
  const auto list = Json::parse(saved);
  if (!list || !list->is_array()) return;
  for (const Json& one : list->array()) {
    const auto text = [&](std::string_view key) {
      const Json* const value = one.is_object() ? one.find(key) : nullptr;
      return value != nullptr && value->is_string() ? value->string() : std::string();
    };
    const Json* const since = one.is_object() ? one.find("since") : nullptr;
    const Key key{text("alarm"), text("subject")};
    if (key.first.empty() || since == nullptr || !since->is_integer()) continue;
    if (active_.size() == kMaxActive) return;
    active_.try_emplace(key, Active{severity_of(text("severity")), text("text"), clock_.mono(),
                                    since->integer(), true});
  }
}

void AlarmBoard::end_carried() {
  std::vector<Key> carried;
  for (const auto& [key, active] : active_) {
    if (active.is_carried) carried.push_back(key);
  }
  for (const Key& key : carried) end_alarm(key.first, key.second);
}

Status AlarmBoard::status() const {
  Status status("alarms");
  status.set("active", active_.size());
  if (refused_ > 0) status.set("refused", refused_);
  for (const auto& [key, active] : active_) {
    Status one(key.first + "/" + key.second);
    one.set("alarm", key.first).set("subject", key.second);
    one.set("severity", name_of(active.severity))
        .set("since", active.since_s)
        .set("text", active.text);
    status.add(std::move(one));
  }
  return status;
}

}  // namespace berm::health
