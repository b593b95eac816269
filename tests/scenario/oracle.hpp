// SPDX-License-Identifier: Apache-2.0
// Oracle: what must hold at the end of a simulated life, once the faults have ended and everything
// was given time to drain. It knows what the drivers emitted and what was acknowledged (Witness)
// and what every receiver got, and nothing of the outbox. It holds outbox promises 1-5, 7, 8 and
// uplink promise 2:
//   - conservation: of every series each receiver has, or has a gap record for, every sequence that
//     any receiver knows of; the auditor of `berm audit` agrees;
//   - what was acknowledged as durable has arrived or stands in a gap record; what arrives is what
//     was emitted, each observation once, in the order of emission;
//   - repeats have the same bytes, at every receiver; no id is foreign; first arrivals are in order
//     of their sequence unless something sent was given back (excuse_order);
//   - one row per (uid, period start, period_s);
//   - a row that many were merged into counts what they counted, and no more than they covered;
//   - counts = vehicles that passed, in every stretch declared as seen; no stretch undeclared;
//   - a row of the feed says what the site served for its minute;
//   - vehicles received + vehicles in gap records = vehicles produced;
//   - the manifests of a series follow one another, and each is the sum of what arrived.
// At most kMaxViolations are kept. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "firmware/analytics/audit.hpp"
#include "hal/sim/loop.hpp"
#include "tests/scenario/receiver.hpp"
#include "tests/scenario/witness.hpp"

namespace berm::scenario {

inline constexpr std::size_t kMaxViolations = 20;
inline constexpr std::size_t kMaxViolationText = 600;

// "day 1 08:30:00" of virtual time.
std::string instant_text(MonoTime time);

class Oracle {
 public:
  Oracle(const Witness& witness, std::string node) : witness_(witness), node_(std::move(node)) {}
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  Receiver& add_receiver(const std::string& name);
  void receive(Receiver& receiver, std::string_view line, MonoTime now);
  // Asked once for each epoch that arrives.
  void set_epochs(std::function<bool(std::string_view)> is_ours) { is_ours_ = std::move(is_ours); }

  // A backup of now; what was committed after it and not delivered is lost when it is restored.
  void mark_backup();
  void excuse_restored();
  // Two nodes with one card both tell of the same periods.
  void excuse_twin() { has_twin_ = true; }
  // Wall time was wrong or stepped: rows need not follow one another by their labels.
  void excuse_clock() { is_clock_steady_ = false; }

  void violation(MonoTime now, const std::string& what);
  // The checks of the end.
  void judge(MonoTime now);
  const std::vector<std::string>& violations() const { return violations_; }

  const std::vector<std::unique_ptr<Receiver>>& receivers() const { return receivers_; }
  std::int64_t rows() const { return static_cast<std::int64_t>(rows_.size()); }
  // Events of this stream that the receiver has, in all epochs.
  std::int64_t count_of(const Receiver& receiver, std::string_view stream) const;
  std::int64_t epochs() const;
  // Manifests of that stream the receiver has, and the largest sequence in them.
  std::pair<std::int64_t, std::int64_t> manifests_of(const Receiver& receiver,
                                                     std::string_view stream) const;

 private:
  struct Series {
    std::string epoch, stream;
    std::vector<std::uint64_t> digests;      // [seq], as first seen by anybody
    std::vector<std::int64_t> serials;       // [seq]; −1: not of a witnessed stream
    analytics::SeqRanges merged;             // what merging made
    std::int64_t excused_above = INT64_MAX;  // holes above are the restored backup's
    bool is_ours = false;
  };
  struct Place {
    std::int32_t series = -1;
    std::int64_t seq = 0;
  };
  struct RowKey {
    std::int64_t uid, time;
    std::int64_t period_s;
    bool operator==(const RowKey&) const = default;
  };
  struct RowHash {
    std::size_t operator()(const RowKey& key) const;
  };
  // A period that several were merged into.
  struct MergedRow {
    std::int64_t uid, time, period_s, count;
    std::string id;
  };
  // What a receiver was told of a whole range; and all its gap records, whoever lost something.
  struct ManifestClaim {
    std::size_t series = 0, gap_series = 0;
    std::int64_t first = 0, last = 0, count = 0, gaps = 0;
    std::string sum64, made_in;
  };
  struct ClosedRange {
    std::size_t series = 0;
    std::string made_in;
    std::int64_t seq = 0;
    analytics::SeqRanges ranges;
  };
  struct Told {
    std::vector<ManifestClaim> manifests;
    std::vector<ClosedRange> closed;
  };
  struct Excused {
    std::int64_t first_serial, end_serial;
  };
  std::size_t series_of(std::string_view epoch, std::string_view stream);
  bool read(std::string_view line, Arrival& arrival);
  void take_first(const Arrival& arrival, MonoTime now);
  void audit(const Receiver& receiver, const Arrival& arrival);
  void take_serial(const Arrival& arrival, std::string_view dyed, MonoTime now);
  void take_merged(const Arrival& arrival);
  void take_row(const Arrival& arrival, MonoTime now);
  void take_into(std::string_view into, MonoTime now);
  void take_gap(Receiver& receiver, const Arrival& arrival, MonoTime now);
  void take_manifest(std::size_t receiver, const Arrival& arrival);
  std::string fault_of(const ManifestClaim& claim, const Told& told,
                       const Receiver& receiver) const;
  std::size_t index_of(const Receiver& receiver) const;
  std::int64_t highest_of(std::size_t series) const;
  MonoTime emitted_at(const Place& place) const;
  bool is_excused(std::int64_t serial) const;

  void judge_conservation(const Receiver& receiver, MonoTime now);
  void judge_audit(std::size_t receiver, MonoTime now);
  void judge_manifests(std::size_t receiver, MonoTime now);
  void judge_durable(MonoTime now);
  void judge_emission_order(MonoTime now);
  void judge_vehicles(const Receiver& receiver, MonoTime now);
  void judge_truth(MonoTime now);
  void judge_feed(MonoTime now);
  void judge_merged(MonoTime now);
  void judge_rows(MonoTime now);

  const Witness& witness_;
  const std::string node_;
  std::function<bool(std::string_view)> is_ours_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::vector<std::unique_ptr<analytics::Audit>> audits_;  // [receiver]
  std::vector<Told> told_;                                 // [receiver]
  std::vector<Series> series_;
  std::map<std::string, std::size_t, std::less<>> series_by_name_;  // "epoch/stream"
  std::size_t last_series_ = 0;
  std::vector<Place> places_;  // [serial]
  std::unordered_map<RowKey, Place, RowHash> rows_;
  std::vector<MergedRow> merged_;
  std::vector<Excused> excused_;
  std::int64_t backup_serial_ = -1;
  std::vector<std::int64_t> backup_pending_;  // emitted before it, committed after it or never
  std::vector<std::int64_t> backup_highest_;  // [series]
  bool is_restored_ = false;
  bool has_twin_ = false;
  bool is_clock_steady_ = true;
  bool has_lane_gaps_ = false;
  std::vector<std::string> violations_;
};

}  // namespace berm::scenario
