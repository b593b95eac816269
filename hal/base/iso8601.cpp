// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "hal/base/text.hpp"

namespace berm {
namespace {

// Takes pieces off the front of a text; once something did not fit, `ok` stays false.
struct TimeReader {
  std::string_view rest;
  bool ok = true;

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest.empty() || rest.front() < '0' || rest.front() > '9') {
        ok = false;
        return 0;
      }
      value = value * 10 + (rest.front() - '0');
      rest.remove_prefix(1);
    }
    return value;
  }

  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }

  void expect(char c) { ok = take(c) && ok; }

  // What follows the seconds; digits beyond the microsecond are cut off.
  std::int64_t fraction_us() {
    if (!take('.')) return 0;
    std::int64_t us = 0;
    std::int64_t place = 100000;
    bool any = false;
    for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; rest.remove_prefix(1)) {
      us += (rest.front() - '0') * place;
      place /= 10;
      any = true;
    }
    ok = ok && any;
    return us;
  }

  std::int64_t zone_s() {
    if (take('Z')) return 0;
    const bool west = take('-');
    if (!west) expect('+');
    const int hours = digits(2);
    expect(':');
    const int minutes = digits(2);
    ok = ok && hours <= 23 && minutes <= 59;
    const int offset = (hours * 60 + minutes) * 60;
    return west ? -offset : offset;
  }
};

}  // namespace

std::string iso8601(std::int64_t unix_s) {
  const std::chrono::sys_seconds time{std::chrono::seconds{unix_s}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return text_of("%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                 static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                 static_cast<int>(clock.seconds().count()));
}

std::optional<std::int64_t> parse_iso8601_us(std::string_view text) {
  TimeReader reader{text};
  const int year = reader.digits(4);
  reader.expect('-');
  const int month = reader.digits(2);
  reader.expect('-');
  const int day = reader.digits(2);
  reader.expect('T');
  const int hour = reader.digits(2);
  reader.expect(':');
  const int minute = reader.digits(2);
  reader.expect(':');
  const int second = reader.digits(2);
  const std::int64_t fraction = reader.fraction_us();
  const std::int64_t zone = reader.zone_s();
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!reader.ok || !reader.rest.empty() || !date.ok()) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const int second_of_day = (hour * 60 + minute) * 60 + second;
  const std::int64_t seconds = days * 86400 + second_of_day - zone;
  return seconds * 1000000 + fraction;
}

}  // namespace berm
