// SPDX-License-Identifier: Apache-2.0
// Bed: the words in which scenarios are written. A cabinet beside the road, the centre it reports
// to, and the oracle that knows what must hold. Time is virtual and begins at `start`; `at` plans,
// `run` lives. At the end `expect_sound` heals everything, lets it drain for at most kMaxDrain, and
// asks the oracle. Everything follows from the options: the same scenario twice is the same. Used
// by the numbered scenarios and, with faults from a seed, by Life. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hal/sim/loop.hpp"
#include "hal/sim/network.hpp"
#include "tests/scenario/cabinet.hpp"
#include "tests/scenario/centre.hpp"
#include "tests/scenario/feed_site.hpp"
#include "tests/scenario/oracle.hpp"
#include "tests/scenario/witness.hpp"

namespace berm::scenario {

inline constexpr Seconds kMaxDrain{6 * 3600};
inline constexpr Seconds kSettleTime{35 * 60};  // longer than any backoff and hold_for_clock_s
inline constexpr Seconds kSamplePeriod{600};
inline constexpr std::int64_t kMaxPendingAtRest = 2000;    // events before their commit
inline constexpr std::uint64_t kStateOverhead = 6u << 20;  // ballast, log and a little

struct BedOptions {
  std::uint64_t seed = 1;
  WallTime start = wall_s(1'800'000'000);  // 2027-01-15 08:00:00 UTC
  double flow_veh_h = 0.0;                 // per lane
  bool vehicles = false;                   // passages as events of their own
  int lanes = 4;
  int period_s = 60;
  bool has_http = true, has_mqtt = true, has_file = false;
  bool has_feed = false;  // polls a MIV site too
  std::int64_t max_bytes = std::int64_t{64} << 20;
  std::int64_t keep_delivered_s = 604'800;
  std::string timezone = "Europe/Brussels";
  bool has_remote = false;  // takes documents over the broker
  std::uint64_t card_bytes = std::uint64_t{256} << 20;
};

class Bed {
 public:
  explicit Bed(BedOptions options = {});
  Bed(const Bed&) = delete;
  Bed& operator=(const Bed&) = delete;
  ~Bed();

  // --- time ---
  void at(Microseconds since_start, std::function<void()> what);
  void run(Microseconds time) { world_.run_for(time); }
  MonoTime now() const { return world_.now(); }

  // --- the world ---
  Cabinet& cabinet() { return *cabinet_; }
  Centre& centre() { return centre_; }
  Oracle& oracle() { return oracle_; }
  Witness& witness() { return witness_; }
  hal::SimLoop& world() { return world_; }
  hal::SimNetwork& network() { return network_; }
  Receiver& flume() { return *flume_; }
  Receiver& broker() { return *broker_; }
  Receiver& stick() { return *stick_; }
  FeedSite& feed_site() { return feed_site_; }
  std::int64_t max_bytes() const { return options_.max_bytes; }
  // A second machine with a copy of the card, and its own machine-id.
  Cabinet& add_twin(const std::string& machine_id);
  // It is switched off for good; what only its card holds is delivered by the first machine's.
  void remove_twin() { twin_.reset(); }
  void heal();
  // A merge patch on the node's configuration, retained on the broker under the next sequence.
  void set_configuration(const std::string& document);

  // --- what is seen ---
  bool is_alarmed(std::string_view alarm);
  std::int64_t waiting(std::string_view uplink);
  std::int64_t received(const Receiver& receiver, std::string_view stream) const {
    return oracle_.count_of(receiver, stream);
  }
  // The newest line of a stream that anybody got, and all its distinct lines so far if kept.
  void keep_lines(std::string_view stream) { kept_stream_ = stream; }
  const std::vector<std::string>& kept_lines() const { return kept_lines_; }

  // Heals, drains, judges. Afterwards `violations` says what does not hold; empty: all does.
  const std::vector<std::string>& finish();
  const std::vector<std::string>& violations() const { return oracle_.violations(); }
  std::string report() const;

 private:
  void receive(Receiver& receiver, std::string_view line);
  void sample();
  void read_stick();
  void judge_starts();
  void judge_reachability();
  bool is_drained();
  std::unique_ptr<Cabinet> make_cabinet(const std::string& machine_id);

  const BedOptions options_;
  hal::SimLoop world_;
  hal::SimNetwork network_;
  Witness witness_;
  Oracle oracle_;
  Receiver* flume_;
  Receiver* broker_;
  Receiver* stick_ = nullptr;
  Centre centre_;
  FeedSite feed_site_;
  std::unique_ptr<Cabinet> cabinet_;
  std::unique_ptr<Cabinet> twin_;
  std::vector<std::string> epochs_;  // of all processes, as they started
  std::int64_t sequence_ = 0;        // of the last document
  std::string kept_stream_;
  std::vector<std::string> kept_lines_;
  hal::Timer sampling_;
};

}  // namespace berm::scenario
