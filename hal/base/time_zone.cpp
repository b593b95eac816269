// SPDX-License-Identifier: Apache-2.0
#include "hal/base/time_zone.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include "hal/base/assert.hpp"

namespace berm {
namespace {

constexpr std::int64_t kDayS = 86400;
constexpr std::size_t kHeadBytes = 44;

std::unexpected<Error> invalid(const char* what) {
  return fail(ErrorCode::invalid, std::string("time zone: ") + what);
}

std::int64_t floored(std::int64_t value, std::int64_t step) {
  const std::int64_t rest = value % step;
  return value - rest - (rest < 0 ? step : 0);
}

std::int64_t year_of(std::int64_t unix_s) {
  const std::chrono::sys_days day{std::chrono::days{floored(unix_s, kDayS) / kDayS}};
  return int{std::chrono::year_month_day{day}.year()};
}

std::int64_t day_number(std::int64_t year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                         std::chrono::month{month}, std::chrono::day{day}};
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

// Reads a rule from left to right; `is_good` says whether all fitted.
class RuleText {
 public:
  explicit RuleText(std::string_view text) : text_(text) {}
  bool takes(char wanted) {
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void must(char wanted) { is_good = takes(wanted) && is_good; }
  bool is_at_end() const { return text_.empty(); }
  void name() {
    const bool is_quoted = takes('<');
    std::size_t size = 0;
    while (!text_.empty() && (is_quoted ? text_.front() != '>' : is_letter(text_.front()))) {
      text_.remove_prefix(1);
      ++size;
    }
    if (is_quoted) must('>');
    is_good = is_good && size >= 3;
  }
  std::int64_t number(std::int64_t most) {
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; !text_.empty() && is_digit(text_.front()) && digits < 4; ++digits) {
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    is_good = is_good && digits > 0 && value <= most;
    return value;
  }
  // [+-]hh[:mm[:ss]]
  std::int64_t seconds() {
    const bool is_negative = takes('-');
    if (!is_negative) takes('+');
    std::int64_t value = number(167) * 3600;
    if (takes(':')) value += number(59) * 60;
    if (takes(':')) value += number(59);
    return is_negative ? -value : value;
  }
  bool is_good = true;

 private:
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  std::string_view text_;
};

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  if (bytes.size() == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  return static_cast<std::int64_t>(value);
}

// The six counts of a TZif header.
struct Counts {
  std::size_t ut, standard, leap, times, types, letters;
  std::size_t bytes(std::size_t time_bytes) const {
    return times * (time_bytes + 1) + types * 6 + letters + leap * (time_bytes + 4) + standard + ut;
  }
};

std::optional<Counts> read_head(std::string_view bytes) {
  if (bytes.size() < kHeadBytes || !bytes.starts_with("TZif")) return std::nullopt;
  std::size_t counts[6];
  for (std::size_t i = 0; i < 6; ++i) {
    const std::int64_t count = big_endian(bytes.substr(20 + 4 * i, 4));
    if (count < 0 || count > static_cast<std::int64_t>(TimeZone::kMaxFileBytes)) return {};
    counts[i] = static_cast<std::size_t>(count);
  }
  return Counts{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
}

}  // namespace

Result<TimeZone::Rule> TimeZone::parse_rule(std::string_view text) {
  RuleText in(text);
  Rule rule;
  in.name();
  rule.standard_s = -in.seconds();
  if (in.is_at_end() && in.is_good) return rule;
  in.name();
  rule.summer_s = rule.standard_s + 3600;
  if (!in.is_at_end() && !in.takes(',')) {
    rule.summer_s = -in.seconds();
    in.must(',');
  }
  for (Change* change : {&rule.begin, &rule.end}) {
    if (change == &rule.end) in.must(',');
    if (in.takes('M')) {
      change->month = static_cast<int>(in.number(12));
      in.must('.');
      change->week = static_cast<int>(in.number(5));
      in.must('.');
      change->day = static_cast<int>(in.number(6));
      in.is_good = in.is_good && change->month >= 1 && change->week >= 1;
    } else {
      change->has_leap = !in.takes('J');
      change->day = static_cast<int>(in.number(365));
      in.is_good = in.is_good && (change->has_leap || change->day >= 1);
    }
    if (in.takes('/')) change->time_s = in.seconds();
  }
  if (!in.is_good || !in.is_at_end()) return invalid("a rule nobody can read");
  return rule;
}

// Civil seconds since 1970 at which the change comes.
std::int64_t TimeZone::change_at(const Change& change, std::int64_t year) {
  std::int64_t day = 0;
  if (change.month == 0) {
    day = day_number(year, 1, 1) + change.day - (change.has_leap ? 0 : 1);
    const bool is_after_leap_day = !change.has_leap && change.day >= 60;
    if (is_after_leap_day && day_number(year, 3, 1) - day_number(year, 2, 28) == 2) ++day;
  } else {
    const auto month = static_cast<unsigned>(change.month);
    const std::int64_t first = day_number(year, month, 1);
    const std::int64_t next =
        month == 12 ? day_number(year + 1, 1, 1) : day_number(year, month + 1, 1);
    const std::int64_t weekday = (first + 4) % 7;  // 1970-01-01 was a Thursday
    day = first + (change.day - (weekday < 0 ? weekday + 7 : weekday) + 7) % 7;
    day += 7 * (change.week - 1);
    if (day >= next) day -= 7;
  }
  return day * kDayS + change.time_s;
}

std::int64_t TimeZone::offset_by_rule(std::int64_t unix_s) const {
  const Rule& rule = *rule_;
  if (!rule.summer_s) return rule.standard_s;
  const std::int64_t year = year_of(unix_s + rule.standard_s);
  const std::int64_t begin = change_at(rule.begin, year) - rule.standard_s;
  const std::int64_t end = change_at(rule.end, year) - *rule.summer_s;
  const bool is_between = unix_s >= std::min(begin, end) && unix_s < std::max(begin, end);
  const bool is_summer = begin < end ? is_between : !is_between;
  return is_summer ? *rule.summer_s : rule.standard_s;
}

Result<TimeZone> TimeZone::from_rule(std::string_view rule) {
  TimeZone zone;
  BERM_TRY(zone.rule_, parse_rule(rule));
  return zone;
}

Result<TimeZone> TimeZone::from_file(std::string_view bytes) {
  if (bytes.size() > kMaxFileBytes) return invalid("too large");
  const auto old = read_head(bytes);
  if (!old || bytes[4] < '2') return invalid("not a TZif file of version 2");
  if (bytes.size() < kHeadBytes + old->bytes(4)) return invalid("cut short");
  bytes.remove_prefix(kHeadBytes + old->bytes(4));
  const auto counts = read_head(bytes);
  if (!counts || bytes.size() < kHeadBytes + counts->bytes(8)) return invalid("cut short");
  if (counts->times > kMaxTransitions || counts->types == 0) return invalid("impossible counts");
  bytes.remove_prefix(kHeadBytes);
  const std::string_view times = bytes.substr(0, counts->times * 8);
  const std::string_view kinds = bytes.substr(counts->times * 8, counts->times);
  const std::string_view types = bytes.substr(counts->times * 9, counts->types * 6);
  const auto offset_of = [types](std::size_t type) {
    return big_endian(types.substr(type * 6, 4));
  };
  TimeZone zone;
  zone.before_s_ = offset_of(0);
  for (std::size_t i = 0; i < counts->times; ++i) {
    const auto kind = static_cast<unsigned char>(kinds[i]);
    const std::int64_t at_s = big_endian(times.substr(i * 8, 8));
    const bool is_next = zone.transitions_.empty() || at_s > zone.transitions_.back().at_s;
    if (kind >= counts->types || !is_next) return invalid("impossible transition");
    zone.transitions_.push_back({at_s, offset_of(kind)});
  }
  std::string_view foot = bytes.substr(counts->bytes(8));
  if (!foot.starts_with('\n') || !foot.ends_with('\n') || foot.size() < 2) return invalid("no end");
  foot = foot.substr(1, foot.size() - 2);
  if (!foot.empty()) {
    BERM_TRY(zone.rule_, parse_rule(foot));
  }
  return zone;
}

std::int64_t TimeZone::offset_s(std::int64_t unix_s) const {
  const auto next = std::ranges::upper_bound(transitions_, unix_s, {}, &Transition::at_s);
  if (next == transitions_.end() && rule_) return offset_by_rule(unix_s);
  return next == transitions_.begin() ? before_s_ : (next - 1)->offset_s;
}

std::int64_t TimeZone::part_begin_s(std::int64_t unix_s, std::int64_t part_s) const {
  BERM_ASSERT(part_s > 0 && part_s <= kDayS);
  const std::int64_t now_offset = offset_s(unix_s);
  const std::int64_t civil = floored(unix_s + now_offset, part_s);
  const std::int64_t begin = civil - now_offset;
  // The clock changed in between: the part began with the offset of then, where it existed.
  const std::int64_t then_offset = offset_s(begin);
  if (then_offset == now_offset) return begin;
  const std::int64_t begin_then = civil - then_offset;
  if (offset_s(begin_then) == then_offset && begin_then <= unix_s) return begin_then;
  // It began in the hour that was left out: with the change itself.
  std::int64_t low = begin;
  std::int64_t high = unix_s;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (offset_s(middle) == now_offset ? high : low) = middle;
  }
  return high;
}

}  // namespace berm
