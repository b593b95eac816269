// SPDX-License-Identifier: Apache-2.0
// What the oracle makes of manifests, by the contract's words alone and with sums of its own.
#include <algorithm>

#include "hal/base/text.hpp"
#include "tests/scenario/oracle.hpp"

namespace berm::scenario {

// What is wrong with it; empty: nothing.
std::string Oracle::fault_of(const ManifestClaim& claim, const Told& told,
                             const Receiver& receiver) const {
  analytics::SeqRanges closed;
  for (const ClosedRange& one : told.closed) {
    const bool is_before = one.made_in == claim.made_in && one.seq <= claim.gaps;
    if (one.series == claim.series && is_before) closed.add(one.ranges);
  }
  std::int64_t count = 0;
  std::int64_t lost_since = 0;
  std::uint64_t sum = 0;
  const Receiver::Series& received = receiver.series(claim.series);
  for (std::int64_t seq = claim.first; seq <= claim.last; ++seq) {
    if (closed.contains(seq)) continue;
    ++count;
    if (received.has(seq)) {
      sum += received.digests[static_cast<std::size_t>(seq)];
    } else {
      ++lost_since;
    }
  }
  const Receiver::Series& gaps = receiver.series(claim.gap_series);
  for (std::int64_t seq = 1; seq <= claim.gaps; ++seq) {
    if (!gaps.has(seq)) return "";  // refused there: what it says is not known
  }
  if (count != claim.count) {
    return text_of("counts %lld, not %lld", static_cast<long long>(claim.count),
                   static_cast<long long>(count));
  }
  const std::string hex = text_of("%016llx", static_cast<unsigned long long>(sum));
  return lost_since > 0 || hex == claim.sum64 ? "" : "is not the sum of what arrived";
}

void Oracle::judge_manifests(std::size_t receiver, MonoTime now) {
  if (is_restored_) return;
  Told& told = told_[receiver];
  const Receiver& at = *receivers_[receiver];
  std::ranges::sort(told.manifests, {}, [](const ManifestClaim& claim) {
    return std::pair(claim.series, claim.first);
  });
  const ManifestClaim* before = nullptr;
  for (const ManifestClaim& claim : told.manifests) {
    const Series& series = series_[claim.series];
    const bool is_next = before != nullptr && before->series == claim.series;
    std::string fault = fault_of(claim, told, at);
    // A manifest of its own may be lost like any event, and a gap record says so.
    const bool may_lack =
        is_next && !at.series(series_of(claim.made_in, "node.manifest")).gaps.empty();
    const std::int64_t expected = is_next ? before->last + 1 : 1;
    if (claim.first != expected && !(may_lack && claim.first > expected)) {
      fault += " does not follow on the one before, which ended at " + std::to_string(expected - 1);
    }
    before = &claim;
    if (fault.empty()) continue;
    violation(now, text_of("%s: the manifest of %s/%s %lld-%lld %s", at.name().c_str(),
                           series.epoch.c_str(), series.stream.c_str(),
                           static_cast<long long>(claim.first), static_cast<long long>(claim.last),
                           fault.c_str()));
  }
}

std::pair<std::int64_t, std::int64_t> Oracle::manifests_of(const Receiver& receiver,
                                                           std::string_view stream) const {
  std::pair<std::int64_t, std::int64_t> found{0, 0};
  for (const ManifestClaim& claim : told_[index_of(receiver)].manifests) {
    if (series_[claim.series].stream != stream) continue;
    ++found.first;
    found.second = std::max(found.second, claim.last);
  }
  return found;
}

}  // namespace berm::scenario
