// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/write_budget.hpp"

#include <algorithm>
#include <numeric>

namespace berm::outbox {
namespace {

constexpr std::int64_t kHourS = 3600;
constexpr Seconds kAdaptPeriod{60};

}  // namespace

bool WriteBudget::see(std::uint64_t total, MonoTime now) {
  if (!first_) {
    first_ = now;
    total_ = total;
  }
  elapsed_s_ = std::chrono::floor<Seconds>(now - *first_).count();
  const std::int64_t hour = elapsed_s_ / kHourS;
  for (; hour_ < hour; ++hour_) hours_[static_cast<std::size_t>((hour_ + 1) % kHours)] = 0;
  if (total > total_) {
    hours_[static_cast<std::size_t>(hour % kHours)] += static_cast<std::int64_t>(total - total_);
  }
  total_ = total;
  if (day_bytes_ == 0 || (adapted_ && now - *adapted_ < kAdaptPeriod)) return false;
  adapted_ = now;
  const int before = stretch_;
  const std::int64_t written = written_day();
  if (written > allowed()) stretch_ = std::min(stretch_ * 2, kMaxStretch);
  if (written < allowed() / 5 * 4) stretch_ = std::max(stretch_ / 2, 1);
  return stretch_ != before;
}

std::int64_t WriteBudget::written_day() const {
  return std::accumulate(hours_.begin(), hours_.end(), std::int64_t{0});
}

// Of the hours that written_day() counts, the present one as far as it has come.
std::int64_t WriteBudget::allowed() const {
  const std::int64_t counted_s = std::min(elapsed_s_, (kHours - 1) * kHourS + elapsed_s_ % kHourS);
  const std::int64_t an_hour = day_bytes_ / kHours;
  return std::min(day_bytes_, an_hour + an_hour * counted_s / kHourS);
}

}  // namespace berm::outbox
