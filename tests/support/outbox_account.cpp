// SPDX-License-Identifier: Apache-2.0
#include "tests/support/outbox_account.hpp"

#include "tests/support/outbox_bed.hpp"

namespace berm::test {

void OutboxAccount::receive(const event::Event& event) {
  const std::string id = id_of(event);
  const auto [it, is_new] = lines_.emplace(id, event.line);
  if (!is_new) {
    ++repeats_;
    if (it->second != event.line) differing_ = id;
    return;
  }
  Sequence& sequence = sequences_[{event.epoch, std::string(event.schema->name)}];
  sequence.received.add({event.seq, event.seq});
  if (event.schema->name == "traffic.lane") {
    const std::string count = field_of(event, "count");
    if (count != "null") vehicles_received_ += std::stoll(count);
  }
  if (event.schema->name == "node.gap") read_gap(event);
}

void OutboxAccount::read_gap(const event::Event& event) {
  const std::string losers = field_of(event, "uplink");
  if (losers != "null" && (" " + losers + " ").find(" " + uplink_ + " ") == std::string::npos) {
    return;
  }
  const auto ranges = outbox::RangeSet::parse(field_of(event, "ranges"));
  if (!ranges) {
    differing_ = "unreadable gap " + event.line;
    return;
  }
  sequences_[{field_of(event, "of_epoch"), field_of(event, "of")}].gaps.add(*ranges);
  const std::string vehicles = field_of(event, "vehicles");
  if (vehicles != "null") vehicles_in_gaps_ += std::stoll(vehicles);
}

std::int64_t OutboxAccount::explained() const {
  std::int64_t count = 0;
  for (const auto& [series, sequence] : sequences_) {
    outbox::RangeSet gaps = sequence.gaps;
    gaps.subtract(sequence.received);
    for (const outbox::Range& range : gaps.ranges()) {
      if (range.last != outbox::kOpenEnd) count += range.last - range.first + 1;
    }
  }
  return count;
}

std::string OutboxAccount::fault() const {
  if (!differing_.empty()) return "differing bytes: " + differing_;
  for (const auto& [series, sequence] : sequences_) {
    outbox::RangeSet known = sequence.received;
    known.add(sequence.gaps);
    outbox::RangeSet missing;
    const outbox::Range last = known.ranges().back();
    missing.add({1, last.last == outbox::kOpenEnd ? last.first : last.last});
    missing.subtract(known);
    if (!missing.is_empty()) {
      return series.first + "/" + series.second + " misses " + missing.to_text();
    }
  }
  return {};
}

}  // namespace berm::test
