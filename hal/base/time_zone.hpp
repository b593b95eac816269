// SPDX-License-Identifier: Apache-2.0
// TimeZone: how far a zone's civil time is from UTC, at any instant; for what follows civil days
// while events stay UTC. Made from the bytes of a TZif file (RFC 8536, /usr/share/zoneinfo/…) or
// from a rule as POSIX writes it ("CET-1CEST,M3.5.0,M10.5.0/3"), which also says what comes after
// the file's last transition. No file and no clock of its own: pure; a plain value; any thread.
// Error invalid: bytes or a rule that do not add up; at most kMaxTransitions are taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hal/base/result.hpp"

namespace berm {

class TimeZone {
 public:
  static constexpr std::size_t kMaxTransitions = 4096;
  static constexpr std::size_t kMaxFileBytes = 64u << 10;
  TimeZone() = default;  // UTC
  static Result<TimeZone> from_file(std::string_view bytes);
  static Result<TimeZone> from_rule(std::string_view rule);

  // Seconds to add to UTC for civil time, at that instant (seconds since 1970 UTC).
  std::int64_t offset_s(std::int64_t unix_s) const;
  // When the civil day (or hour, or any part of one that is whole minutes long) that holds the
  // instant began: the first instant with the same civil day and part of it. Precondition: 0 <
  // part_s <= 86400. A day has 23 or 25 hours where the clock changes.
  std::int64_t part_begin_s(std::int64_t unix_s, std::int64_t part_s) const;

 private:
  struct Transition {
    std::int64_t at_s = 0;
    std::int64_t offset_s = 0;  // from then on
  };
  // When a rule's change comes in a year: day `day` (0…6 from Sunday) of week `week` of `month`;
  // month 0: day of the year, counted from 0 (`has_leap`) or from 1 without 29 February.
  struct Change {
    int month = 0, week = 0, day = 0;
    bool has_leap = false;
    std::int64_t time_s = 7200;  // of that day, civil
  };
  struct Rule {
    std::int64_t standard_s = 0;
    std::optional<std::int64_t> summer_s;
    Change begin, end;
  };
  static std::int64_t change_at(const Change& change, std::int64_t year);
  static Result<Rule> parse_rule(std::string_view text);
  std::int64_t offset_by_rule(std::int64_t unix_s) const;

  std::vector<Transition> transitions_;  // in order
  std::int64_t before_s_ = 0;            // offset before the first
  std::optional<Rule> rule_;             // after the last
};

}  // namespace berm
