// SPDX-License-Identifier: Apache-2.0
// Audit: proves from received events alone whether everything a node produced has arrived. Reads
// event lines in any order and from any mix of topics, and says per node, epoch and stream what was
// received, repeated, missing, and explained by gap records; and whether each manifest holds. Used
// by `berm audit` and the system tests. Memory: 16 bytes per event received. One thread; fails on
// nothing: a line that is no event is counted as unreadable.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "firmware/analytics/seq_ranges.hpp"
#include "hal/base/json.hpp"

namespace berm::analytics {

struct StreamFinding {
  std::string node, epoch, stream;
  std::int64_t received = 0;   // different sequence numbers
  std::int64_t duplicate = 0;  // repeats with the same bytes
  std::int64_t differing = 0;  // repeats with other bytes
  std::int64_t highest = 0;    // largest sequence known of, from events, gaps or manifests
  std::int64_t explained = 0;  // not received, but named by a gap record
  std::int64_t merged = 0;     // of them with cause `merged`
  std::int64_t missing = 0;    // neither
  std::int64_t manifests = 0, manifests_broken = 0;
  std::string missing_ranges;  // the first of them, for a person and for `resend`
};

class Audit {
 public:
  void read_line(std::string_view line);
  // The same for who has read the line already: not for `node.gap` and `node.manifest`, whose lines
  // say more. `sum64`: of the line. True: the first of its sequence.
  bool take(std::string_view node, std::string_view epoch, std::string_view stream,
            std::int64_t seq, std::uint64_t sum64);
  // In order of node, epoch, stream.
  std::vector<StreamFinding> findings() const;
  std::int64_t unreadable() const { return unreadable_; }
  // Nothing missing unexplained, no repeat differs, every line readable, every manifest holds.
  bool is_clean() const;

 private:
  struct Manifest {
    std::int64_t first, last, count;
    std::uint64_t sum;
  };
  struct Ledger {
    std::unordered_map<std::int64_t, std::uint64_t> received;  // seq → first 8 bytes of sha256
    std::int64_t duplicate = 0, differing = 0, highest = 0;
    SeqRanges explained, merged;
    std::vector<Manifest> manifests;
  };
  struct Key {
    std::string node, epoch, stream;
    auto operator<=>(const Key&) const = default;
  };
  bool read_event(const Json& event, std::string_view line);
  bool read_gap(const Json& event, const std::string& node);
  bool read_manifest(const Json& event, const std::string& node);
  static StreamFinding find(const Key& key, const Ledger& ledger);
  static bool holds(const Manifest& manifest, const Ledger& ledger);
  std::map<Key, Ledger> ledgers_;
  std::int64_t unreadable_ = 0;
};

}  // namespace berm::analytics
