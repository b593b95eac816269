// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/receiver.hpp"

#include <algorithm>
#include <utility>

namespace berm::scenario {

Receiver::Series& Receiver::at(std::size_t index) {
  if (series_.size() <= index) series_.resize(index + 1);
  return series_[index];
}

const Receiver::Series& Receiver::series(std::size_t index) const {
  return index < series_.size() ? series_[index] : none_;
}

std::string Receiver::take(const Arrival& arrival, bool& is_new) {
  Series& series = at(arrival.series);
  const auto place = static_cast<std::size_t>(arrival.seq);
  is_new = !series.has(arrival.seq);
  if (!is_new) {
    ++repeats_;
    if (series.digests[place] == arrival.digest) return {};
    return "a repeat with other bytes: " + std::string(arrival.line);
  }
  ++received_;
  if (series.digests.size() <= place) {
    series.digests.resize(place + 1);
    series.counts.resize(place + 1);
  }
  series.digests[place] = arrival.digest;
  series.counts[place] = static_cast<std::int32_t>(arrival.count);
  series.vehicles += arrival.count;
  const std::int64_t newest = std::exchange(series.newest, std::max(series.newest, arrival.seq));
  if (arrival.seq > newest || is_order_excused_) return {};
  return std::string(arrival.id) + " arrives first after " + std::to_string(newest) +
         " of its series";
}

void Receiver::claim(GapClaim claim) {
  Series& series = at(claim.series);
  series.gaps.add(claim.ranges);
  series.claims.push_back(std::move(claim));
}

}  // namespace berm::scenario
