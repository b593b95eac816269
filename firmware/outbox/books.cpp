// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/books.hpp"

#include <algorithm>

#include "hal/base/text.hpp"

namespace berm::outbox {

std::optional<SeriesIndex> Books::find(std::size_t epoch_index, std::string_view stream) const {
  for (SeriesIndex i = 0; i < series.size(); ++i) {
    if (series[i].epoch == epoch_index && series[i].schema->name == stream) return i;
  }
  return std::nullopt;
}

std::optional<SeriesIndex> Books::find(std::string_view epoch_name, std::string_view stream) const {
  for (SeriesIndex i = 0; i < series.size(); ++i) {
    if (series[i].schema->name == stream && epochs[series[i].epoch].epoch == epoch_name) return i;
  }
  return std::nullopt;
}

std::int64_t Books::waiting(UplinkIndex uplink) const {
  std::int64_t count = 0;
  for (SeriesIndex i = 0; i < series.size(); ++i) {
    const Track& track = tracks[uplink][i];
    if (!track.is_wanted) continue;
    // Ranges that were joined may hold numbers of events that are long gone.
    count += std::min(track.undelivered.count_below(series[i].next_seq), series[i].kept());
  }
  return count;
}

std::int64_t Books::events() const {
  std::int64_t count = 0;
  for (const Series& one : series) count += one.kept();
  return count;
}

std::int64_t Books::gaps() const {
  std::int64_t count = 0;
  for (const Series& one : series) {
    if (one.schema->name == "node.gap") count += one.next_seq - 1;
  }
  return count;
}

bool wants(const UplinkInterest& uplink, std::string_view stream) {
  return uplink.streams.empty() ||
         std::ranges::any_of(uplink.streams,
                             [&](const std::string& glob) { return matches_glob(stream, glob); });
}

namespace {
const StreamPolicy* policy_of(const OutboxOptions& options, std::string_view stream) {
  const auto it = std::ranges::find(options.policies, stream, &StreamPolicy::stream);
  return it == options.policies.end() ? nullptr : &*it;
}
}  // namespace

event::WhenFull when_full(const OutboxOptions& options, const event::StreamSchema& schema) {
  const StreamPolicy* policy = policy_of(options, schema.name);
  return policy != nullptr ? policy->when_full : schema.when_full;
}

std::int64_t max_age_s(const OutboxOptions& options, std::string_view stream) {
  const StreamPolicy* policy = policy_of(options, stream);
  return policy != nullptr ? policy->max_age_s : 0;
}

}  // namespace berm::outbox
