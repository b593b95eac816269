// SPDX-License-Identifier: Apache-2.0
// Audit: proves from received events alone whether everything a node produced has arrived. Reads
// event lines in any order and from any mix of topics, and says per node, epoch and stream what was
// received, repeated, missing, and explained by gap records; into what merged events went; how many
// vehicles were received and lost; and whether the manifests tile the sequence and hold.
// A manifest holds when the lines it covers add up to its sum: those of its range that no gap
// record closed before it was made (its `gaps`; records of epochs before its own). What a later
// gap record explains is not held against it, but its count must still be right.
// Used by `berm audit` and the tests. Memory: some 40 bytes per event received. One thread; fails
// on nothing: a line that is no event is counted as unreadable.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
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
  std::string missing_ranges;  // the first of them, for a person
  SeqRanges missing_all;       // all, for `resend`
  // Events that merged ones went into: received, explained in their turn, or neither.
  std::int64_t into_received = 0, into_explained = 0, into_missing = 0;
  // Sum of `count` of lane periods received; of the gap records, less what arrived all the same.
  // Empty: not a stream of lane periods, or not known of every record.
  std::optional<std::int64_t> vehicles, vehicles_lost;
};

// Events that others were merged into: "node/epoch/stream/seq", or "…/first-last".
struct Into {
  std::string node, epoch, stream;
  SeqRanges seqs;
};
std::optional<Into> into_of(std::string_view text);

class Audit {
 public:
  // `uplink`: a gap record that names other uplinks only explains nothing; empty: every one does.
  explicit Audit(std::string uplink = {}) : uplink_(std::move(uplink)) {}
  void read_line(std::string_view line);
  // The same for who has read the line already, where says_more() is false for its stream.
  // `sum64`: of the line. True: the first of its sequence.
  bool take(std::string_view node, std::string_view epoch, std::string_view stream,
            std::int64_t seq, std::uint64_t sum64, std::optional<std::int64_t> vehicles = {});
  // Whether an event of that stream tells of others.
  static bool says_more(std::string_view stream);
  // In order of node, epoch, stream.
  std::vector<StreamFinding> findings() const;
  std::int64_t unreadable() const { return unreadable_; }
  // Nothing missing unexplained, no repeat differs, every line readable, every manifest holds.
  bool is_clean() const;

 private:
  // Where an event stands among those of its stream: in which epoch of the ledger, and its number.
  struct Place {
    std::string node, epoch;
    std::int64_t seq = 0;
  };
  struct Manifest {
    std::int64_t first, last, count;
    std::uint64_t sum;
    Place made;
    std::optional<std::int64_t> gaps;  // empty: all of its epoch
  };
  struct Claim {  // of a gap record
    SeqRanges ranges;
    Place made;
    bool is_merged = false;
    bool is_ours = true;  // it is about this receiver
    std::optional<std::int64_t> vehicles;
    std::vector<std::string> into;
  };
  struct Received {
    std::uint64_t sum = 0;
    std::int64_t vehicles = -1;  // −1: none
  };
  struct Ledger {
    std::unordered_map<std::int64_t, Received> received;  // by sequence
    std::int64_t duplicate = 0, differing = 0, highest = 0;
    SeqRanges explained, merged;
    std::vector<Manifest> manifests;
    std::vector<Claim> claims;
  };
  struct Key {
    std::string node, epoch, stream;
    auto operator<=>(const Key&) const = default;
  };
  using Ledgers = std::map<Key, Ledger>;

  // --- audit.cpp: reading
  bool read_event(const Json& event, std::string_view line);
  bool read_gap(const Json& event, const Key& self, std::int64_t seq);
  bool read_manifest(const Json& event, const Key& self, std::int64_t seq);
  Ledger& ledger_of(const std::string& node, const std::string& epoch, const std::string& stream);

  // --- audit_findings.cpp: judging
  bool precedes(const std::string& epoch, const std::string& other) const;
  bool is_before(const Claim& claim, const Manifest& manifest) const;
  bool knows_gaps(const Manifest& manifest) const;
  bool holds(const Manifest& manifest, const Ledger& ledger) const;
  std::int64_t broken_manifests(const Key& key, const Ledger& ledger) const;
  void find_vehicles(const Ledger& ledger, StreamFinding& finding) const;
  void find_merges(const Ledger& ledger, StreamFinding& finding) const;
  void count_into(const Key& key, const SeqRanges& into, StreamFinding& finding) const;
  StreamFinding find(const Key& key, const Ledger& ledger) const;

  const std::string uplink_;
  Ledgers ledgers_;
  std::map<std::string, std::string> previous_;  // epoch → the one before
  std::int64_t unreadable_ = 0;
};

// The commands for the shell of each node that offer what is missing once more, at most
// kMaxResendRanges ranges in each. `uplink`: only to that one; empty: to all.
struct ResendCommand {
  std::string node;
  std::string command;
};
inline constexpr std::size_t kMaxResendRanges = 48;
std::vector<ResendCommand> resend_commands(const std::vector<StreamFinding>& findings,
                                           const std::string& uplink);

}  // namespace berm::analytics
