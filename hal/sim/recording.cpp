// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/recording.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hal/base/text.hpp"

namespace berm::hal {
namespace {

constexpr std::int64_t kMaxSeconds = 1'000'000'000;
constexpr std::size_t kMicroDecimals = 6;
constexpr std::size_t kMaxDecimals = 18;
constexpr std::string_view kEdgePrefix = "edge/";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::string shown =
      "'" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "…'" : "'");
  return is_valid_utf8(shown) ? shown : "what stands there";
}

// The text up to the next comma; `rest` goes on behind it.
std::string_view take_field(std::string_view& rest) {
  const std::size_t comma = rest.find(',');
  const std::string_view field = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return field;
}

// The next line of `lines`, without its end; `lines` goes on behind it.
std::string_view take_line(std::string_view& lines) {
  const std::size_t newline = lines.find('\n');
  std::string_view line = lines.substr(0, newline);
  lines.remove_prefix(newline == std::string_view::npos ? lines.size() : newline + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Error error_at(Error error, const std::string& name, std::uint64_t line) {
  return std::move(error).with_context(name + ": line " + std::to_string(line));
}

bool is_rec(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path.ends_with(".rec");
}

// One line of a `.rec` file. An Error's text is what is wrong with the line.
Result<SignalRow> parse_signal(std::string_view line, Json& record) {
  BERM_TRY(record, Json::parse(line, {.max_bytes = kMaxRecordingLine}));
  const Json* time = record.find("t");
  const Json* signal = record.find("signal");
  const Json* value = record.find("value");
  if (!time || !time->is_number() || time->number() < 0 ||
      time->number() > static_cast<double>(kMaxSeconds)) {
    return fail(ErrorCode::invalid, "t must be 0…1000000000 s");
  }
  if (!signal || !signal->is_string() || signal->string().empty()) {
    return fail(ErrorCode::invalid, "signal must be a name");
  }
  if (!value) return fail(ErrorCode::invalid, "there is no value");
  // Up to 10^9 s a double is good to 0.12 µs, so this is the nearest microsecond.
  const Microseconds exact{std::llround(time->number() * 1e6)};
  return SignalRow{exact, signal->string(), *value};
}

}  // namespace

std::optional<Microseconds> parse_decimal_s(std::string_view text) {
  std::int64_t us = 0;
  std::size_t n = 0;
  for (; n < text.size() && is_digit(text[n]); ++n) {
    us = us * 10 + (text[n] - '0');
    if (us > kMaxSeconds) return std::nullopt;
  }
  if (n == 0) return std::nullopt;
  us *= 1'000'000;
  if (n == text.size()) return Microseconds{us};
  if (text[n] != '.' || n + 1 == text.size() || text.size() - n > kMaxDecimals) return std::nullopt;
  const std::string_view decimals = text.substr(n + 1);
  std::int64_t weight = 100'000;
  for (std::size_t place = 0; place < decimals.size(); ++place, weight /= 10) {
    if (!is_digit(decimals[place])) return std::nullopt;
    us += (decimals[place] - '0') * weight;
    if (place == kMicroDecimals && decimals[place] >= '5') ++us;
  }
  if (us > kMaxSeconds * 1'000'000) return std::nullopt;
  return Microseconds{us};
}

Result<std::unique_ptr<EdgeReader>> EdgeReader::open(const std::string& path) {
  BERM_TRY(auto bytes, open_bytes(path));
  return std::make_unique<EdgeReader>(std::move(bytes), is_rec(path) ? Form::rec : Form::csv, path);
}

EdgeReader::EdgeReader(std::unique_ptr<ByteSource> bytes, Form form, std::string name)
    : lines_(std::move(bytes)), form_(form), name_(std::move(name)) {}

Error EdgeReader::at_line(Error error) const {
  return error_at(std::move(error), name_, line_number_);
}

Result<std::span<const EdgeRow>> EdgeReader::next() {
  rows_.clear();
  while (rows_.empty()) {
    if (failure_) return fail(*failure_);
    auto lines = lines_.next();
    if (!lines) {
      // A line that is too long or a damaged file: the one after the last good one.
      ++line_number_;
      failure_ = at_line(std::move(lines.error()));
      return fail(*failure_);
    }
    if (lines->empty()) break;
    std::string fault = read_lines(*lines);
    if (!fault.empty()) failure_ = at_line({ErrorCode::invalid, std::move(fault), 0});
  }
  if (rows_.empty() && form_ == Form::csv && !is_header_read_) {
    return fail(ErrorCode::invalid, name_ + ": is empty; a header time_s,loop,state is expected");
  }
  return std::span<const EdgeRow>(rows_);
}

std::string EdgeReader::read_lines(std::string_view lines) {
  while (!lines.empty()) {
    ++line_number_;
    const std::string_view line = take_line(lines);
    if (line.empty()) continue;
    std::string fault = read_line(line);
    if (!fault.empty()) return fault;
  }
  return {};
}

std::string EdgeReader::read_line(std::string_view line) {
  if (form_ == Form::rec) return read_rec(line);
  if (is_header_read_) return read_csv(line);
  return read_header(line);
}

std::string EdgeReader::read_header(std::string_view line) {
  if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  has_resolution_ = line == "time_s,loop,state,resolution_us";
  if (!has_resolution_ && line != "time_s,loop,state") {
    return "the header must be time_s,loop,state or time_s,loop,state,resolution_us, is " +
           quoted(line);
  }
  is_header_read_ = true;
  return {};
}

std::string EdgeReader::read_csv(std::string_view line) {
  std::string_view rest = line;
  const std::string_view time = take_field(rest);
  const std::string_view loop = take_field(rest);
  const std::string_view state = take_field(rest);
  const std::string_view resolution = has_resolution_ ? take_field(rest) : std::string_view{};
  if (!rest.empty()) return "more fields than the header names: " + quoted(line);
  const auto exact = parse_decimal_s(time);
  if (!exact) return "time_s must be a decimal number 0…1000000000, is " + quoted(time);
  if (state.size() != 1 || (state[0] != '0' && state[0] != '1')) {
    return "state must be 0 or 1, is " + quoted(state);
  }
  EdgeRow row{*exact, kDefaultResolutionUs, 0, state[0] == '1'};
  if (!resolution.empty()) {
    const auto value = parse_integer(resolution);
    if (!value || *value < 1 || *value > std::int64_t{kMaxResolutionUs}) {
      return "resolution_us must be 1…10000000, is " + quoted(resolution);
    }
    row.resolution_us = static_cast<std::uint32_t>(*value);
  }
  const auto index = index_of(loop);
  if (!index) return "loop must be a name of 1…64 bytes, at most 4096 of them, is " + quoted(loop);
  row.loop = *index;
  add_row(row);
  return {};
}

std::string EdgeReader::read_rec(std::string_view line) {
  Json record;
  auto signal = parse_signal(line, record);
  if (!signal) return signal.error().text;
  if (!signal->signal.starts_with(kEdgePrefix)) return {};
  const std::string_view loop = std::string_view(signal->signal).substr(kEdgePrefix.size());
  const Json& value = signal->value;
  const bool is_level =
      value.is_boolean() || (value.is_number() && (value.number() == 0 || value.number() == 1));
  if (!is_level) return "value of an edge must be 0 or 1";
  EdgeRow row{signal->time, kDefaultResolutionUs, 0,
              value.is_boolean() ? value.boolean() : value.number() == 1};
  if (const Json* resolution = record.find("resolution_us")) {
    const bool is_good = resolution->is_integer() && resolution->integer() >= 1 &&
                         resolution->integer() <= std::int64_t{kMaxResolutionUs};
    if (!is_good) return "resolution_us must be 1…10000000";
    row.resolution_us = static_cast<std::uint32_t>(resolution->integer());
  }
  const auto index = index_of(loop);
  if (!index) return "loop must be a name of 1…64 bytes, at most 4096 of them, is " + quoted(loop);
  row.loop = *index;
  add_row(row);
  return {};
}

std::optional<std::uint16_t> EdgeReader::index_of(std::string_view loop) {
  const auto known = indices_.find(loop);
  if (known != indices_.end()) return known->second;
  const bool is_name = !loop.empty() && loop.size() <= kMaxLoopName && is_valid_utf8(loop) &&
                       loop.find('"') == std::string_view::npos;
  if (!is_name || names_.size() == kMaxRecordingLoops) return std::nullopt;
  const auto index = static_cast<std::uint16_t>(names_.size());
  names_.emplace_back(loop);
  indices_.emplace(names_.back(), index);
  return index;
}

void EdgeReader::add_row(EdgeRow row) {
  if (row.time < last_) ++out_of_order_;
  last_ = row.time;
  latest_ = std::max(latest_, row.time);
  ++row_count_;
  rows_.push_back(row);
}

Result<void> EdgeReader::rewind() {
  BERM_CHECK(lines_.rewind());
  line_number_ = 0;
  is_header_read_ = false;
  last_ = Microseconds{0};
  failure_.reset();
  return {};
}

Result<std::unique_ptr<SignalReader>> SignalReader::open(const std::string& path) {
  BERM_TRY(auto bytes, open_bytes(path));
  return std::make_unique<SignalReader>(std::move(bytes), path);
}

Result<std::optional<SignalRow>> SignalReader::next() {
  while (true) {
    if (rest_.empty()) {
      auto lines = lines_.next();
      if (!lines) return fail(error_at(std::move(lines.error()), name_, line_number_ + 1));
      if (lines->empty()) return std::optional<SignalRow>();
      rest_ = *lines;
    }
    ++line_number_;
    const std::string_view line = take_line(rest_);
    if (line.empty()) continue;
    Json record;
    auto signal = parse_signal(line, record);
    if (!signal) return fail(error_at(std::move(signal.error()), name_, line_number_));
    return std::optional<SignalRow>(std::move(*signal));
  }
}

}  // namespace berm::hal
