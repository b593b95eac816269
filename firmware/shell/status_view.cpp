// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/status_view.hpp"

#include <algorithm>

#include "hal/base/text.hpp"

namespace berm::shell {
namespace {

constexpr const char* kUnknown = "-";

// The value as a cell; `decimals` for numbers.
std::string cell(const Status& status, std::string_view name, int decimals = 1) {
  const Status::Value* value = status.find(name);
  if (value == nullptr) return kUnknown;
  if (const auto* integer = std::get_if<std::int64_t>(value)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(value)) return text_of("%.*f", decimals, *number);
  if (const auto* flag = std::get_if<bool>(value)) return *flag ? "yes" : "no";
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  return kUnknown;
}

// The empty Status where there is no such child.
const Status& child_of(const Status& status, std::string_view name) {
  static const Status kNone;
  const Status* child = status.child(name);
  return child == nullptr ? kNone : *child;
}

std::string seconds_cell(const Status& status, std::string_view name) {
  const Status::Value* value = status.find(name);
  const auto* integer = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  return integer == nullptr ? kUnknown : human_seconds(*integer);
}

std::string bytes_cell(const Status& status, std::string_view name) {
  const Status::Value* value = status.find(name);
  const auto* integer = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  return integer == nullptr ? kUnknown : human_bytes(*integer);
}

// Character count of UTF-8, which is the width of what we print.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_number(std::string_view text) {
  return parse_number(text).has_value();
}

std::string headline(const Status& root) {
  std::string line = "berm " + cell(root, "version") + "  node " + cell(root, "node") + "  up " +
                     seconds_cell(root, "uptime_s") + "  clock " + cell(root, "clock");
  if (root.find("time_utc") != nullptr) line += "  " + cell(root, "time_utc");
  return line + "\n";
}

std::string lanes_table(const Status& drivers) {
  TextTable table({"lane", "veh", "km/h", "occ %", "coverage", "flags"});
  for (const Status& driver : drivers.children()) {
    for (const Status& lane : child_of(driver, "lanes").children()) {
      table.add({driver.name() + "/" + lane.name(), cell(lane, "count"), cell(lane, "speed_kmh"),
                 cell(lane, "occupancy_percent"), cell(lane, "coverage", 2), cell(lane, "flags")});
    }
  }
  return table.empty() ? "" : table.text() + "\n";
}

std::string drivers_table(const Status& drivers) {
  TextTable table({"driver", "kind", "state", "edges", "vehicles", "odd edges"});
  for (const Status& driver : drivers.children()) {
    table.add({driver.name(), cell(driver, "driver"), cell(driver, "state"), cell(driver, "edges"),
               cell(driver, "vehicles"), cell(driver, "odd_edges")});
  }
  return table.empty() ? "" : table.text() + "\n";
}

std::string outbox_lines(const Status& outbox) {
  std::string text = "outbox   events " + cell(outbox, "events") + "  on disk " +
                     bytes_cell(outbox, "disk_bytes") + " of " +
                     bytes_cell(outbox, "ceiling_bytes") + "  oldest unsent " +
                     seconds_cell(outbox, "oldest_unsent_s") + "  durable " +
                     cell(outbox, "durable") + "\n";
  if (outbox.integer("lost_before_commit") > 0) {
    text += "         LOST before commit: " + cell(outbox, "lost_before_commit") + "\n";
  }
  return text + "\n";
}

std::string uplinks_table(const Status& uplinks) {
  TextTable table({"uplink", "state", "delivered", "waiting", "in flight", "last error"});
  for (const Status& uplink : uplinks.children()) {
    table.add({uplink.name(), cell(uplink, "state"), cell(uplink, "delivered"),
               cell(uplink, "waiting"), cell(uplink, "in_flight"), cell(uplink, "last_error")});
  }
  return table.empty() ? "" : table.text() + "\n";
}

std::string alarms_lines(const Status& alarms) {
  if (alarms.children().empty()) return "alarms   none\n";
  std::string text = "alarms\n";
  for (const Status& alarm : alarms.children()) {
    text += "  " + cell(alarm, "severity") + "  " + cell(alarm, "alarm") + " " +
            cell(alarm, "subject") + ": " + cell(alarm, "text") + "\n";
  }
  return text;
}

}  // namespace

std::string TextTable::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string pad(widths[i] - width_of(row[i]), ' ');
      const bool to_the_right =
          &row == &rows_.front() ? is_number(rows_.back()[i]) : is_number(row[i]);
      line += i == 0 ? "" : "  ";
      line += i > 0 && to_the_right ? pad + row[i] : row[i] + pad;
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

std::string section_text(const Status& root, std::string_view section) {
  const Status& part = child_of(root, section);
  if (section == "drivers") return lanes_table(part) + drivers_table(part);
  if (section == "outbox") return outbox_lines(part);
  if (section == "uplinks") return uplinks_table(part);
  return alarms_lines(part);
}

std::string status_text(const Status& root) {
  std::string text = headline(root) + "\n";
  for (const std::string_view section : {"drivers", "outbox", "uplinks", "alarms"}) {
    text += section_text(root, section);
  }
  return text;
}

std::string status_summary(const Status& root) {
  const Status& outbox = child_of(root, "outbox");
  std::string line =
      "produced " + cell(outbox, "events") + "  on disk " + bytes_cell(outbox, "disk_bytes");
  for (const Status& uplink : child_of(root, "uplinks").children()) {
    line += "  " + uplink.name() + " " + cell(uplink, "state") + " " + cell(uplink, "delivered") +
            " (+" + cell(uplink, "waiting") + ")";
  }
  return line + "  alarms " + cell(child_of(root, "alarms"), "active") + "\n";
}

}  // namespace berm::shell
