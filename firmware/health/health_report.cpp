// SPDX-License-Identifier: Apache-2.0
#include "firmware/health/health_report.hpp"

#include <string>

namespace berm::health {
namespace {

void copy_integer(drivers::Row& row, const Status& from, std::string_view name,
                  std::string_view as) {
  const Status::Value* value = from.find(name);
  if (value == nullptr) return;
  if (const auto* integer = std::get_if<std::int64_t>(value)) {
    row.values.emplace_back(std::string(as), *integer);
  }
}

void copy_text(drivers::Row& row, const Status& from, std::string_view name) {
  const std::string text = from.text(name);
  if (!text.empty()) row.values.emplace_back(std::string(name), text);
}

}  // namespace

drivers::Row health_row(const Status& status, const hal::Clock& clock) {
  const hal::WallReading wall = clock.wall();
  drivers::Row row;
  row.stream = "node.health";
  row.when.mono = clock.mono();
  if (wall.source != ClockSource::none) row.when.wall = wall.time;
  row.when.clock = wall.source;
  copy_text(row, status, "version");
  copy_text(row, status, "restart_cause");
  copy_text(row, status, "config_sha");
  copy_integer(row, status, "boot_count", "boot_count");
  copy_integer(row, status, "uptime_s", "uptime_s");
  if (const Status* outbox = status.child("outbox")) {
    copy_integer(row, *outbox, "waiting", "waiting");
    copy_integer(row, *outbox, "oldest_unsent_s", "oldest_unsent_s");
    copy_integer(row, *outbox, "gaps_total", "gaps_total");
    copy_integer(row, *outbox, "written_bytes_day", "disk_written_day");
  }
  return row;
}

}  // namespace berm::health
