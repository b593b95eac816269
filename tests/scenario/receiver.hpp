// SPDX-License-Identifier: Apache-2.0
// Receiver: everything one receiver ever got, kept so that it can be judged: which sequences of
// which series (epoch and stream), the bytes of each, which ranges its gap records explain, the
// vehicles of both. It judges at once what can be judged at once (a repeat with other bytes, a
// first arrival out of order) and leaves the rest to the Oracle. Memory: 9 bytes an event. One
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/analytics/seq_ranges.hpp"

namespace berm::scenario {

// An event's line, taken apart.
struct Arrival {
  std::string_view line;
  std::string_view id, node, epoch, stream;
  std::int64_t seq = 0;
  std::size_t series = 0;  // the Oracle's number of (epoch, stream)
  std::uint64_t digest = 0;
  std::int64_t count = 0;  // of a lane period; 0 for null
};

// What a gap record says, once it is known to be about this receiver.
struct GapClaim {
  std::size_t series = 0;
  analytics::SeqRanges ranges;
  std::int64_t last = 0;  // the largest number named
  std::int64_t vehicles = 0;
  bool knows_vehicles = false;
  bool is_merged = false;
};

class Receiver {
 public:
  struct Series {
    std::vector<std::uint64_t> digests;  // [seq]; 0: not received
    std::vector<std::int32_t> counts;    // [seq] of lane periods
    analytics::SeqRanges gaps;
    std::int64_t newest = 0;    // of the first arrivals
    std::int64_t vehicles = 0;  // in lane periods received
    std::vector<GapClaim> claims;
    bool has(std::int64_t seq) const {
      return seq < static_cast<std::int64_t>(digests.size()) &&
             digests[static_cast<std::size_t>(seq)] != 0;
    }
    std::int64_t highest() const { return static_cast<std::int64_t>(digests.size()) - 1; }
  };

  explicit Receiver(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }
  // What is wrong with it; empty: nothing so far. `is_new`: a first arrival.
  std::string take(const Arrival& arrival, bool& is_new);
  void claim(GapClaim claim);
  const Series& series(std::size_t index) const;
  bool is_known(std::size_t index, std::int64_t seq) const {
    return series(index).has(seq) || series(index).gaps.contains(seq);
  }
  // From here on some of what was sent may be taken and some given back: order is not promised.
  void excuse_order() { is_order_excused_ = true; }
  std::int64_t received() const { return received_; }
  std::int64_t repeats() const { return repeats_; }

 private:
  Series& at(std::size_t index);
  const std::string name_;
  std::vector<Series> series_;
  Series none_;
  std::int64_t received_ = 0;
  std::int64_t repeats_ = 0;
  bool is_order_excused_ = false;
};

}  // namespace berm::scenario
