// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/worker_protocol.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "drivers/camera_counter/limits.hpp"

namespace berm::drivers::camera_counter {
namespace {

constexpr std::int64_t kMaxTimeUs = 1'000'000'000'000'000;  // 31 years of running
constexpr std::int64_t kMaxOnUs = 600'000'000;
constexpr std::size_t kMaxFields = 8;
constexpr std::size_t kMaxFaultText = 200;
constexpr std::string_view kViews[] = {"good", "dark", "frozen", "moved"};

std::optional<std::int64_t> number(std::string_view text, std::int64_t min, std::int64_t max) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < min || value > max) return std::nullopt;
  return value;
}

// Empty where two spaces meet, one stands at an end, or there are too many.
std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (fields.size() < kMaxFields) {
    const std::size_t end = line.find(' ');
    fields.push_back(line.substr(0, end));
    if (fields.back().empty()) return {};
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
  return {};
}

// "-" or a number in hundredths.
bool hundredths(std::string_view text, std::int64_t max, std::optional<double>& out) {
  if (text == "-") return true;
  const auto value = number(text, 0, max);
  if (value) out = static_cast<double>(*value) / 100.0;
  return value.has_value();
}

std::optional<WorkerLine> parse_pass(const std::vector<std::string_view>& fields) {
  if (fields.size() != 8) return std::nullopt;
  const auto lane = number(fields[1], 0, kMaxLanes - 1);
  const auto lead = number(fields[2], 0, kMaxTimeUs);
  const auto on = number(fields[3], 0, kMaxOnUs);
  PassLine pass;
  if (!lane || !lead || !on) return std::nullopt;
  if (!hundredths(fields[4], 25'000, pass.speed_kmh)) return std::nullopt;
  if (!hundredths(fields[5], 3'000, pass.length_m)) return std::nullopt;
  if (fields[6] != "-") {
    const auto kind = number(fields[6], 1, 5);
    if (!kind) return std::nullopt;
    pass.length_class = static_cast<int>(*kind);
  }
  const auto confidence = number(fields[7], 0, 1000);
  if (!confidence) return std::nullopt;
  pass.lane = static_cast<std::size_t>(*lane);
  pass.lead_us = *lead;
  pass.on_us = *on;
  pass.confidence = static_cast<double>(*confidence) / 1000.0;
  return pass;
}

std::optional<WorkerLine> parse_told(const std::vector<std::string_view>& fields) {
  if (fields.size() != 3) return std::nullopt;
  const auto until = number(fields[1], 0, kMaxTimeUs);
  const auto seen = number(fields[2], 0, 1000);
  if (!until || !seen) return std::nullopt;
  return ToldLine{*until, static_cast<double>(*seen) / 1000.0};
}

std::optional<WorkerLine> parse_ready(const std::vector<std::string_view>& fields) {
  if (fields.size() != 3) return std::nullopt;
  const auto width = number(fields[1], 1, 8192);
  const auto height = number(fields[2], 1, 8192);
  if (!width || !height) return std::nullopt;
  return ReadyLine{static_cast<int>(*width), static_cast<int>(*height)};
}

std::optional<WorkerLine> parse_view(const std::vector<std::string_view>& fields) {
  if (fields.size() != 2) return std::nullopt;
  const auto found = std::find(std::begin(kViews), std::end(kViews), fields[1]);
  if (found == std::end(kViews)) return std::nullopt;
  return ViewLine{static_cast<View>(found - std::begin(kViews))};
}

std::string hundredths_text(const std::optional<double>& value) {
  return value ? std::to_string(std::llround(*value * 100.0)) : "-";
}

struct Writer {
  std::string operator()(const ReadyLine& line) const {
    return "ready " + std::to_string(line.width) + " " + std::to_string(line.height);
  }
  std::string operator()(const PassLine& line) const {
    return "pass " + std::to_string(line.lane) + " " + std::to_string(line.lead_us) + " " +
           std::to_string(line.on_us) + " " + hundredths_text(line.speed_kmh) + " " +
           hundredths_text(line.length_m) + " " +
           (line.length_class == 0 ? "-" : std::to_string(line.length_class)) + " " +
           std::to_string(std::llround(line.confidence * 1000.0));
  }
  std::string operator()(const ToldLine& line) const {
    return "told " + std::to_string(line.until_us) + " " +
           std::to_string(std::llround(line.seen * 1000.0));
  }
  std::string operator()(const ViewLine& line) const {
    return "view " + std::string(word_of(line.view));
  }
  std::string operator()(const FaultLine& line) const {
    std::string text = line.text.substr(0, kMaxFaultText);
    std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return "fault " + text;
  }
};

}  // namespace

std::string_view word_of(View view) {
  return kViews[static_cast<std::size_t>(view)];
}

std::optional<WorkerLine> parse_worker_line(std::string_view line) {
  constexpr std::string_view kFault = "fault ";
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (!std::all_of(line.begin(), line.end(), is_printable)) return std::nullopt;
  if (line.starts_with(kFault)) {
    const std::string_view text = line.substr(kFault.size());
    if (text.empty() || text.size() > kMaxFaultText) return std::nullopt;
    return FaultLine{std::string(text)};
  }
  const std::vector<std::string_view> fields = fields_of(line);
  if (fields.empty()) return std::nullopt;
  if (fields[0] == "pass") return parse_pass(fields);
  if (fields[0] == "told") return parse_told(fields);
  if (fields[0] == "ready") return parse_ready(fields);
  if (fields[0] == "view") return parse_view(fields);
  return std::nullopt;
}

std::string line_text(const WorkerLine& line) {
  return std::visit(Writer{}, line) + "\n";
}

}  // namespace berm::drivers::camera_counter
