// SPDX-License-Identifier: Apache-2.0
// PeriodSum: what several periods of one lane come to, by the rules of the stream's table
// (`Merge`). Used by the outbox to make quarter hours, hours and days of minutes [outbox-5]. Exact:
// it works on integers (the last digit of a value is its unit) and on the sums themselves, so that
// any grouping in any order of the same periods has the same outcome, and what is written is each
// sum rounded once. What that rounding took away is `rest`, a few bytes kept beside the event while
// it may still be merged; an original has none.
//   - counts and lengths add up; null is unknown, not 0: 5 and null are 5, null and null are null;
//   - a mean weighs each period by its vehicles; a period without any does not matter; one with
//     vehicles and no mean makes it null;
//   - harmonic means add n/v, in units of 1e-10 h/km; unrest adds Σv², from N, mean and unrest;
//   - occupancy weighs by the covered time, coverage and availability by the whole time;
//   - flags unite, in alphabetical order; what differs and should not is null.
// Source, key and time are the caller's. `read`: Error invalid for a tail that this table did not
// write, or with numbers beyond kMaxTerm. Pure; any thread. A PeriodTable outlives its sums, each
// of which takes about 1 kB.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/event/schema.hpp"
#include "hal/base/result.hpp"

namespace berm::event {

class PeriodTable;

class PeriodSum {
 public:
  static constexpr std::int64_t kMaxTerm = 1'000'000'000;  // of a value that is added up
  // Whether both are of one lane: what can not be null is the same.
  bool is_of_one_lane(const PeriodSum& other) const;
  // Precondition: is_of_one_lane.
  void add(const PeriodSum& other);
  std::int64_t period_s() const;
  // As event::Draft::tail.
  std::string tail() const;
  std::string rest() const;

 private:
  friend class PeriodTable;
  __extension__ using Wide = __int128;
  static constexpr std::int64_t kNull = INT64_MIN;
  struct Weighted {
    Wide sum = 0;
    Wide weight = 0;          // of by_time
    bool is_unknown = false;  // some period had a weight and no value
  };
  struct Speeds {
    std::int64_t vehicles = 0;
    Wide sum = 0;
    bool is_known = true;
  };
  explicit PeriodSum(const PeriodTable& table);
  std::int64_t weight_of(std::size_t place) const;
  Wide time_weight(std::size_t place, std::int64_t shown) const;
  Speeds speeds() const;
  void gather(std::size_t place, std::string_view& rest);
  Wide implied(std::size_t place, std::int64_t shown) const;
  std::int64_t shown(std::size_t place) const;
  std::int64_t shown_spread(const Weighted& one) const;
  void append_value(std::size_t place, std::string& out) const;

  const PeriodTable* table_;
  std::vector<std::int64_t> values_;  // [place]
  std::vector<Weighted> weighted_;
  std::vector<std::string> texts_;
};

class PeriodTable {
 public:
  // Precondition: the stream's `conserve` is `periods`.
  explicit PeriodTable(const StreamSchema& schema);
  Result<PeriodSum> read(std::string_view tail, std::string_view rest) const;
  const StreamSchema& schema() const { return *schema_; }

 private:
  friend class PeriodSum;
  struct Place {
    const FieldSpec* field = nullptr;
    std::size_t own = 0;  // into PeriodSum::weighted_ or texts_
    std::size_t by = 0;   // place of the field named in merge_by
  };
  std::size_t find(std::string_view name) const;
  Result<void> parse(std::string_view tail, PeriodSum& into) const;
  const StreamSchema* schema_;
  std::vector<Place> places_;
  std::size_t weighted_ = 0;
  std::size_t texts_ = 0;
  std::size_t period_ = 0;
};

}  // namespace berm::event
