// SPDX-License-Identifier: Apache-2.0
// loops_bench SEED RECORDING…: the accuracy table of the loop engine. Every condition is injected
// into every recording (bench/loops makes them with SUMO) and what the engine says is held against
// the truth. `bench/loops` is the command; bench/README.md has the figures. Exits with 1 where a
// row misses what it must reach (`Target`).
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include "bench/loops_bench/dirt.hpp"
#include "bench/loops_bench/judge.hpp"

namespace berm::bench {
namespace {

using drivers::traffic::Diagnosis;
using drivers::traffic::Fault;

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;

struct Recording {
  std::string name;
  TrafficDay day;
  Listed listed;
};

// What a row must reach over free flow and jam.
struct Target {
  double count_percent = 100.0;
  double speed_kmh = 100.0;
  double class_percent = 0.0;
};
constexpr double kMostCoverageError = 0.02;
constexpr double kMostAlarmsALaneYear = 1.0;

struct Totals {
  Score score;
  double lane_days = 0.0;
  std::int64_t delays = 0;  // faults found
  std::int64_t missed = 0;  // faults not found
  double delay_s = 0.0;
  std::int64_t false_alarms = 0;
  double worst_coverage = 0.0;    // |coverage − true share| after detection, most over lane runs
  std::int64_t false_counts = 0;  // counted after detection while nothing could be seen
};

using Spoil = std::function<void(TrafficDay&, Random&)>;
struct Condition {
  const char* name;
  Spoil spoil;
  RunOptions options = {};
  std::int64_t border_us = 0;
  Target target = {};
};

int rows_missed = 0;

const char* verdict(bool is_met) {
  if (!is_met) ++rows_missed;
  return is_met ? "met" : "MISSED";
}

const char* verdict_on(const Score& score, const Target* target) {
  if (target == nullptr || target->count_percent >= 100.0) return "";
  return verdict(score.count_percent() <= target->count_percent &&
                 score.speed_mae() <= target->speed_kmh &&
                 score.class_percent() >= target->class_percent);
}

void print_row(const char* name, const Totals& totals, const Target* target = nullptr) {
  const Score& score = totals.score;
  std::printf(
      "%-34s %7lld %8.3f %7.2f %7.2f %7.2f %7.2f %6.2f %7lld %8.3f %s\n", name,
      static_cast<long long>(score.truth), score.count_percent(), score.speed_mae(),
      score.minute_speed_mae(), score.class_percent(),
      100.0 * static_cast<double>(score.classified) /
          static_cast<double>(std::max<std::int64_t>(1, score.classifiable)),
      score.lengths == 0 ? NAN : score.length_error / static_cast<double>(score.lengths),
      static_cast<long long>(totals.false_alarms),
      totals.lane_days > 0.0 ? static_cast<double>(totals.false_alarms) / totals.lane_days : 0.0,
      verdict_on(score, target));
}

double lane_days_of(const TrafficDay& day) {
  return static_cast<double>(kLanes) * static_cast<double>(day.end_us) / (86'400e6);
}

std::int64_t begun(const Seen& seen) {
  std::int64_t count = 0;
  for (const auto& [lane, diagnosis] : seen.diagnoses) {
    if (diagnosis.begins) ++count;
    if (diagnosis.begins && std::getenv("BERM_LOOPS_TRACE") != nullptr) {
      std::printf("  lane %d loop %d %s at %.0f s since %.0f s (%.2f)\n", lane, diagnosis.loop,
                  std::string(name_of(diagnosis.fault)).c_str(),
                  static_cast<double>(diagnosis.at_us) * 1e-6,
                  static_cast<double>(diagnosis.since_us) * 1e-6, diagnosis.value);
    }
  }
  return count;
}

void trace_minutes(const Recording& recording, const Seen& seen) {
  if (std::getenv("BERM_LOOPS_TRACE") == nullptr) return;
  std::map<std::pair<int, std::int64_t>, std::int64_t> difference;
  for (const Vehicle& vehicle : recording.day.vehicles)
    --difference[{vehicle.lane, vehicle.time_us / kMinute}];
  for (const auto& period : seen.periods)
    difference[{period.lane, period.minute}] += period.period.count.value_or(0);
  for (const auto& [minute, error] : difference) {
    if (error == 0) continue;
    std::printf("  lane %d minute %lld: %+lld\n", minute.first,
                static_cast<long long>(minute.second), static_cast<long long>(error));
  }
}

void run_noise(const std::vector<Recording>& recordings, std::uint64_t seed, bool has_targets) {
  const Condition conditions[] = {
      {"clean edges", [](TrafficDay&, Random&) {}, {}, 0, {0.0, 0.5, 99.8}},
      {"±1 ms jitter",
       [](TrafficDay& day, Random& random) { jitter(day, 1000, random); },
       {},
       1000,
       {0.05, 0.8, 99.0}},
      {"±10 ms jitter",
       [](TrafficDay& day, Random& random) { jitter(day, 10'000, random); },
       {},
       10'000,
       {0.1, 3.2, 95.5}},
      {"2 % split, 0.5 % missed, crosstalk",
       [](TrafficDay& day, Random& random) {
         split_pulses(day, 0.02, random);
         miss_pulses(day, 0.005, random);
         crosstalk(day, 0.005, random);
       },
       {},
       0,
       {0.3, 1.0, 98.5}},
      {"the same and ±1 ms jitter",
       [](TrafficDay& day, Random& random) {
         split_pulses(day, 0.02, random);
         miss_pulses(day, 0.005, random);
         crosstalk(day, 0.005, random);
         jitter(day, 1000, random);
       },
       {},
       1000},
      {"1 % straddle two lanes",
       [](TrafficDay& day, Random& random) { straddle(day, 0.01, random); }},
      {"single loops", [](TrafficDay&, Random&) {}, {.is_single = true}},
      {"single loops, 2 % split",
       [](TrafficDay& day, Random& random) { split_pulses(day, 0.02, random); },
       {.is_single = true}},
  };
  for (const Condition& condition : conditions) {
    Totals totals;
    for (const Recording& recording : recordings) {
      Random random(seed);
      TrafficDay day = recording.day;
      condition.spoil(day, random);
      const Seen seen = watch(day, condition.options);
      const Window window{0xf, 0, INT64_MAX, condition.border_us};
      const Score score = judge(recording.day, recording.listed, seen, window);
      trace_minutes(recording, seen);
      totals.false_alarms += begun(seen);
      totals.lane_days += lane_days_of(recording.day);
      totals.score.add(score);
      if (std::getenv("BERM_LOOPS_EACH") == nullptr) continue;
      Totals one;
      one.score = score;
      print_row(("  " + recording.name.substr(recording.name.rfind('/') + 1)).c_str(), one);
    }
    print_row(condition.name, totals, has_targets ? &condition.target : nullptr);
  }
}

// When a fault of this lane was found after `from_us`; -1: not.
std::int64_t found_at(const Seen& seen, int lane, std::int64_t from_us) {
  for (const auto& [of, diagnosis] : seen.diagnoses) {
    if (of == lane && diagnosis.begins && diagnosis.at_us >= from_us) return diagnosis.at_us;
  }
  return -1;
}

void add_delay(Totals& totals, std::int64_t found_us, std::int64_t from_us) {
  if (found_us < 0) {
    ++totals.missed;
    return;
  }
  ++totals.delays;
  totals.delay_s += static_cast<double>(found_us - from_us) * 1e-6;
}

// One loop of each pair dies: leading on even lanes and trailing on odd, or the other way round.
void run_one_dead(const std::vector<Recording>& recordings, std::int64_t from_us, int turn,
                  const char* name, const Target& target) {
  Totals totals;
  std::int64_t marked = 0;
  std::int64_t minutes = 0;
  for (const Recording& recording : recordings) {
    TrafficDay day = recording.day;
    for (int lane = 0; lane < kLanes; ++lane)
      dead(day, lane * 2 + (lane + turn) % 2, from_us, INT64_MAX);
    const Seen seen = watch(day);
    begun(seen);
    const Score score = judge(recording.day, recording.listed, seen, {0xf, from_us, INT64_MAX});
    totals.score.add(score);
    for (int lane = 0; lane < kLanes; ++lane)
      add_delay(totals, found_at(seen, lane, from_us), from_us);
    for (const auto& period : seen.periods) {
      if (period.minute * kMinute < from_us + 2 * kMinute) continue;
      ++minutes;
      if (period.period.defect == 1) ++marked;
    }
    if (std::getenv("BERM_LOOPS_EACH") == nullptr) continue;
    Totals one;
    one.score = score;
    print_row(("  " + recording.name.substr(recording.name.rfind('/') + 1)).c_str(), one);
  }
  print_row(name, totals, &target);
  std::printf(
      "    found after %.1f s (%lld of %lld); `defect` 1 in %.1f %% of the lane minutes from "
      "2 minutes on; %lld vehicles marked as estimate %s\n",
      totals.delay_s / static_cast<double>(std::max<std::int64_t>(1, totals.delays)),
      static_cast<long long>(totals.delays), static_cast<long long>(totals.delays + totals.missed),
      100.0 * static_cast<double>(marked) / static_cast<double>(std::max<std::int64_t>(1, minutes)),
      static_cast<long long>(totals.score.estimates),
      verdict(totals.missed == 0 && marked == minutes));
}

// `lines` of each lane (bits of the two loops) fail for a quarter of an hour; `is_blind`: nothing
// can be seen meanwhile.
struct Failure {
  const char* name;
  void (*spoil)(TrafficDay&, int line, std::int64_t from_us, std::int64_t to_us);
  unsigned loops;
  bool is_single = false;
};

void judge_failure(const TrafficDay& truth, const Seen& seen, int lane, std::int64_t from_us,
                   std::int64_t to_us, bool is_blind, Totals& totals) {
  const std::int64_t found_us = found_at(seen, lane, from_us);
  add_delay(totals, found_us, from_us);
  if (found_us < 0) return;
  double covered_s = 0.0;
  double expected_s = 0.0;
  for (const auto& period : seen.periods) {
    const std::int64_t begin_us = period.minute * kMinute;
    if (period.lane != lane || begin_us + kMinute <= found_us) continue;
    if (begin_us >= to_us + 10 * kMinute) continue;
    const std::int64_t blind_us =
        is_blind ? std::max<std::int64_t>(
                       0, std::min(to_us, begin_us + kMinute) - std::max(from_us, begin_us))
                 : 0;
    covered_s += 60.0 * period.period.coverage.value_or(0.0);
    expected_s += 60.0 - static_cast<double>(blind_us) * 1e-6;
    if (is_blind && begin_us >= found_us && begin_us + kMinute <= to_us)
      totals.false_counts += period.period.count.value_or(0);
  }
  totals.worst_coverage = std::max(totals.worst_coverage, std::abs(covered_s / expected_s - 1.0));
  static_cast<void>(truth);
}

void run_failures(const std::vector<Recording>& recordings) {
  const auto dies = [](TrafficDay& day, int line, std::int64_t from, std::int64_t to) {
    dead(day, line, from, to);
  };
  const auto sticks = [](TrafficDay& day, int line, std::int64_t from, std::int64_t to) {
    stuck_on(day, line, from, to);
  };
  const auto toggles = [](TrafficDay& day, int line, std::int64_t from, std::int64_t to) {
    chatter(day, line, from, to, 20.0);
  };
  const Failure failures[] = {
      {"leading loop stuck on", sticks, 1},  {"trailing loop stuck on", sticks, 2},
      {"leading loop chatters", toggles, 1}, {"trailing loop chatters", toggles, 2},
      {"leading loop stuck off", dies, 1},   {"both stuck on", sticks, 3},
      {"both stuck off", dies, 3},           {"both chatter", toggles, 3},
      {"single stuck on", sticks, 1, true},  {"single stuck off", dies, 1, true},
      {"single chatters", toggles, 1, true},
  };
  std::printf("\n%-24s %9s %7s %12s %13s %14s\n", "10 minutes, one lane", "delay s", "missed",
              "false counts", "coverage err%", "count error %");
  const std::int64_t from_us = 10 * kMinute + 17 * kSecond;
  const std::int64_t to_us = 20 * kMinute + 17 * kSecond;
  for (const Failure& failure : failures) {
    Totals totals;
    const bool is_blind = failure.loops == 3 || failure.is_single;
    for (const Recording& recording : recordings) {
      for (int lane = 0; lane < kLanes; lane += 3) {
        TrafficDay day = recording.day;
        if ((failure.loops & 1u) != 0) failure.spoil(day, lane * 2, from_us, to_us);
        if ((failure.loops & 2u) != 0) failure.spoil(day, lane * 2 + 1, from_us, to_us);
        const Seen seen = watch(day, {.is_single = failure.is_single});
        begun(seen);
        judge_failure(recording.day, seen, lane, from_us, to_us, is_blind, totals);
        const std::int64_t after_us = (to_us / kMinute + 2) * kMinute;
        const Window window{1u << lane, is_blind ? after_us : 0, INT64_MAX};
        totals.score.add(judge(recording.day, recording.listed, seen, window));
      }
    }
    std::printf("%-24s %9.1f %7lld %12lld %13.2f %14.3f %s\n", failure.name,
                totals.delay_s / static_cast<double>(std::max<std::int64_t>(1, totals.delays)),
                static_cast<long long>(totals.missed), static_cast<long long>(totals.false_counts),
                100.0 * totals.worst_coverage, totals.score.count_percent(),
                verdict(totals.missed == 0 && totals.false_counts == 0 &&
                        totals.worst_coverage <= kMostCoverageError));
  }
}

void run_quiet(std::uint64_t seed) {
  constexpr int kDays = 100;
  const double flows[] = {2.0, 10.0, 60.0};
  for (const double flow : flows) {
    const TrafficDay day = quiet_days(flow, kDays, seed);
    const Seen seen = watch(day);
    const auto alarms = static_cast<double>(begun(seen));
    std::int64_t counted = 0;
    for (const auto& period : seen.periods) counted += period.period.count.value_or(0);
    std::printf(
        "quiet road, %3.0f veh/h and lane: %.0f false alarms in %d lane-days (%.2f a "
        "lane-year), %lld of %zu vehicles counted %s\n",
        flow, alarms, kDays * kLanes, alarms * 365.0 / (kDays * kLanes),
        static_cast<long long>(counted), day.vehicles.size(),
        verdict(alarms * 365.0 / (kDays * kLanes) < kMostAlarmsALaneYear &&
                counted == static_cast<std::int64_t>(day.vehicles.size())));
  }
}

}  // namespace
}  // namespace berm::bench

int main(int count, char** words) {
  using namespace berm::bench;  // NOLINT(google-build-using-namespace): one small program
  if (count < 3) {
    std::fprintf(stderr, "usage: loops_bench SEED RECORDING…\n");
    return 2;
  }
  const std::uint64_t seed = std::strtoull(words[1], nullptr, 10);
  std::vector<Recording> recordings;
  double cpu_s = 0.0;
  std::uint64_t edges = 0;
  for (int i = 2; i < count; ++i) {
    Recording recording{words[i], read_day(words[i]), {}};
    const Seen clean = watch(recording.day);
    recording.listed = listed_in(clean);
    cpu_s += clean.cpu_s;
    edges += clean.edges;
    std::printf("%s: %zu vehicles, %zu without a pulse on their first loop\n", words[i],
                recording.day.vehicles.size(), recording.listed.size());
    recordings.push_back(std::move(recording));
  }
  std::printf("%.1f million edges a second (CPU)\n\n%-34s %7s %8s %7s %7s %7s %7s %6s %7s %8s\n",
              static_cast<double>(edges) / cpu_s * 1e-6, "condition", "truth", "count e%", "v MAE",
              "minute", "class %", "given %", "L MAE", "alarms", "/laneday");
  std::vector<Recording> usual;
  std::vector<Recording> hard;
  for (const Recording& recording : recordings) {
    const bool is_hard = recording.name.find("signal") != std::string::npos ||
                         recording.name.find("weave") != std::string::npos;
    (is_hard ? hard : usual).push_back(recording);
  }
  std::printf("free flow and jam\n");
  run_noise(usual, seed, true);
  const Target dead{0.5, 5.0, 0.0};
  run_one_dead(usual, 10 * kMinute, 0, "one loop dead (A on even lanes)", dead);
  run_one_dead(usual, 10 * kMinute, 1, "one loop dead (A on odd lanes)", dead);
  run_one_dead(usual, 0, 0, "one loop dead from the start", {});
  if (!hard.empty()) {
    std::printf("a signal that stops vehicles on the loops; weaving traffic\n");
    run_noise(hard, seed, false);
  }
  run_failures(usual);
  std::printf("\n");
  run_quiet(seed);
  std::printf("%s\n", rows_missed == 0 ? "all met" : "NOT all met");
  return rows_missed == 0 ? 0 : 1;
}
