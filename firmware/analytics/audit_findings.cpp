// SPDX-License-Identifier: Apache-2.0
// What the audit makes of all it has read.
#include <algorithm>

#include "firmware/analytics/audit.hpp"
#include "hal/base/text.hpp"

namespace berm::analytics {
namespace {

constexpr std::size_t kMaxNamedHoles = 8;
constexpr int kMaxEpochSteps = 1000;  // from one to those before it

std::string name_holes(const SeqRanges& missing) {
  std::string holes;
  std::size_t named = 0;
  for (const auto& [first, last] : missing.ranges()) {
    if (named++ == kMaxNamedHoles) return holes + " …";
    holes += (holes.empty() ? "" : " ") + std::to_string(first) + "-" + std::to_string(last);
  }
  return holes;
}

}  // namespace

bool Audit::precedes(const std::string& epoch, const std::string& other) const {
  const std::string* at = &other;
  for (int step = 0; step < kMaxEpochSteps; ++step) {
    const auto before = previous_.find(*at);
    if (before == previous_.end()) return false;
    if (before->second == epoch) return true;
    at = &before->second;
  }
  return false;
}

// Was the gap record made first?
bool Audit::is_before(const Claim& claim, const Manifest& manifest) const {
  if (claim.made.epoch != manifest.made.epoch) {
    return precedes(claim.made.epoch, manifest.made.epoch);
  }
  return !manifest.gaps || claim.made.seq <= *manifest.gaps;
}

// Whether every gap record that it takes into account has arrived: one that was itself refused or
// lost is explained, but what it says is not known here.
bool Audit::knows_gaps(const Manifest& manifest) const {
  const std::int64_t gaps = manifest.gaps.value_or(0);
  const auto there = ledgers_.find(Key{manifest.made.node, manifest.made.epoch, "node.gap"});
  for (std::int64_t seq = 1; seq <= gaps; ++seq) {
    if (there == ledgers_.end() || !there->second.received.contains(seq)) return false;
  }
  return true;
}

bool Audit::holds(const Manifest& manifest, const Ledger& ledger) const {
  SeqRanges before;
  for (const Claim& claim : ledger.claims) {
    if (is_before(claim, manifest)) before.add(claim.ranges);
  }
  std::int64_t count = 0;
  std::int64_t gone_since = 0;
  std::uint64_t sum = 0;
  for (std::int64_t seq = manifest.first; seq <= manifest.last; ++seq) {
    if (before.contains(seq)) continue;
    const auto found = ledger.received.find(seq);
    if (found == ledger.received.end()) {
      if (!ledger.explained.contains(seq)) return false;
      ++gone_since;
      continue;
    }
    ++count;
    sum += found->second.sum;
  }
  return count + gone_since == manifest.count && (gone_since > 0 || sum == manifest.sum);
}

// Those that do not hold, and those that do not follow on the one before although all are there.
std::int64_t Audit::broken_manifests(const Key& key, const Ledger& ledger) const {
  std::vector<const Manifest*> in_order;
  for (const Manifest& manifest : ledger.manifests) in_order.push_back(&manifest);
  std::ranges::sort(in_order, {}, [](const Manifest* m) { return std::pair(m->first, m->last); });
  const auto is_lost = [&](const auto& one) {
    return one.first.stream == "node.manifest" && one.first.node == key.node &&
           (!one.second.explained.empty() ||
            one.second.highest > static_cast<std::int64_t>(one.second.received.size()));
  };
  const bool may_lack = std::ranges::any_of(ledgers_, is_lost);
  std::int64_t broken = 0;
  std::int64_t last = 0;
  for (const Manifest* manifest : in_order) {
    const bool overlaps = last > 0 && manifest->first <= last;
    const bool leaves_hole = last > 0 && manifest->first > last + 1 && !may_lack;
    const bool is_false = !holds(*manifest, ledger) && knows_gaps(*manifest);
    if (overlaps || leaves_hole || is_false) ++broken;
    last = std::max(last, manifest->last);
  }
  return broken;
}

void Audit::find_vehicles(const Ledger& ledger, StreamFinding& finding) const {
  if (finding.stream != "traffic.lane") return;
  finding.vehicles = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> arrived;  // though a gap record names them
  for (const auto& [seq, event] : ledger.received) {
    if (event.vehicles <= 0) continue;
    *finding.vehicles += event.vehicles;
    if (ledger.explained.contains(seq)) arrived.emplace_back(seq, event.vehicles);
  }
  finding.vehicles_lost = 0;
  for (const Claim& claim : ledger.claims) {
    if (!claim.is_ours) continue;
    if (!claim.vehicles) {
      finding.vehicles_lost.reset();
      return;
    }
    std::int64_t lost = *claim.vehicles;
    for (const auto& [seq, vehicles] : arrived) {
      if (!claim.is_merged && claim.ranges.contains(seq)) lost -= vehicles;
    }
    *finding.vehicles_lost += std::max<std::int64_t>(lost, 0);
  }
}

// What is known of the events that merged ones went into.
void Audit::count_into(const Key& key, const SeqRanges& into, StreamFinding& finding) const {
  std::int64_t count = 0;
  for (const auto& [first, last] : into.ranges()) count += last - first + 1;
  std::int64_t received = 0;
  std::int64_t explained = 0;
  const auto there = ledgers_.find(key);
  if (there != ledgers_.end()) {
    const Ledger& ledger = there->second;
    for (const auto& [first, last] : into.ranges()) {
      explained += ledger.explained.count_within(first, last);
    }
    for (const auto& [seq, event] : ledger.received) {
      if (!into.contains(seq)) continue;
      ++received;
      if (ledger.explained.contains(seq)) --explained;
    }
  }
  finding.into_received += received;
  finding.into_explained += explained;
  finding.into_missing += count - received - explained;
}

void Audit::find_merges(const Ledger& ledger, StreamFinding& finding) const {
  std::map<Key, SeqRanges> into;
  std::set<std::string> unreadable;
  for (const Claim& claim : ledger.claims) {
    if (!claim.is_merged) continue;
    for (const std::string& id : claim.into) {
      const auto one = into_of(id);
      if (!one) {
        unreadable.insert(id);
        continue;
      }
      into[Key{one->node, one->epoch, one->stream}].add(one->seqs);
    }
  }
  finding.into_missing = static_cast<std::int64_t>(unreadable.size());
  for (const auto& [key, seqs] : into) count_into(key, seqs, finding);
}

StreamFinding Audit::find(const Key& key, const Ledger& ledger) const {
  StreamFinding finding{.node = key.node, .epoch = key.epoch, .stream = key.stream};
  finding.received = static_cast<std::int64_t>(ledger.received.size());
  finding.duplicate = ledger.duplicate;
  finding.differing = ledger.differing;
  finding.highest = ledger.highest;
  finding.explained = ledger.explained.count_within(1, ledger.highest);
  finding.merged = ledger.merged.count_within(1, ledger.highest);
  for (const auto& [seq, event] : ledger.received) {
    if (ledger.explained.contains(seq)) --finding.explained;
    if (ledger.merged.contains(seq)) --finding.merged;
  }
  finding.missing = ledger.highest - finding.received - finding.explained;
  for (std::int64_t seq = 1; finding.missing > 0 && seq <= ledger.highest; ++seq) {
    if (ledger.received.contains(seq) || ledger.explained.contains(seq)) continue;
    finding.missing_all.add(seq, seq);
  }
  finding.missing_ranges = name_holes(finding.missing_all);
  finding.manifests = static_cast<std::int64_t>(ledger.manifests.size());
  finding.manifests_broken = broken_manifests(key, ledger);
  find_vehicles(ledger, finding);
  find_merges(ledger, finding);
  return finding;
}

std::vector<StreamFinding> Audit::findings() const {
  std::vector<StreamFinding> all;
  for (const auto& [key, ledger] : ledgers_) all.push_back(find(key, ledger));
  return all;
}

bool Audit::is_clean() const {
  return unreadable_ == 0 && std::ranges::all_of(findings(), [](const StreamFinding& f) {
           return f.missing == 0 && f.differing == 0 && f.manifests_broken == 0 &&
                  f.into_missing == 0;
         });
}

std::vector<ResendCommand> resend_commands(const std::vector<StreamFinding>& findings,
                                           const std::string& uplink) {
  std::vector<ResendCommand> commands;
  for (const StreamFinding& finding : findings) {
    std::size_t ranges = kMaxResendRanges;
    for (const auto& [first, last] : finding.missing_all.ranges()) {
      if (ranges == kMaxResendRanges) {
        commands.push_back({finding.node, "resend " + finding.epoch + "/" + finding.stream});
        ranges = 0;
      }
      commands.back().command += " " + std::to_string(first) + "-" + std::to_string(last);
      ++ranges;
    }
  }
  if (uplink.empty()) return commands;
  for (ResendCommand& one : commands) one.command += " " + uplink;
  return commands;
}

}  // namespace berm::analytics
