// SPDX-License-Identifier: Apache-2.0
// OutboxAccount: what one receiver got, and whether it adds up: every sequence of every stream and
// epoch received or explained by a gap record, repeats with equal bytes, vehicles received +
// vehicles in gap records = vehicles produced. One thread; a plain value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "firmware/event/event.hpp"
#include "firmware/outbox/range_set.hpp"

namespace berm::test {

class OutboxAccount {
 public:
  explicit OutboxAccount(std::string uplink) : uplink_(std::move(uplink)) {}
  void receive(const event::Event& event);
  // What does not add up; empty: all is well. A series' sequences are expected from 1 to the
  // highest seen.
  std::string fault() const;
  std::int64_t vehicles_received() const { return vehicles_received_; }
  std::int64_t vehicles_in_gaps() const { return vehicles_in_gaps_; }
  std::int64_t received() const { return static_cast<std::int64_t>(lines_.size()); }
  std::int64_t repeats() const { return repeats_; }
  std::int64_t explained() const;
  bool has(const std::string& id) const { return lines_.contains(id); }

 private:
  struct Sequence {
    outbox::RangeSet received;
    outbox::RangeSet gaps;
  };
  void read_gap(const event::Event& event);
  std::string uplink_;
  std::map<std::string, std::string> lines_;  // by id
  std::map<std::pair<std::string, std::string>, Sequence> sequences_;
  std::int64_t vehicles_received_ = 0;
  std::int64_t vehicles_in_gaps_ = 0;
  std::int64_t repeats_ = 0;
  std::string differing_;
};

}  // namespace berm::test
