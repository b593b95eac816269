// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/life.hpp"

#include <cmath>
#include <ctime>

#include "hal/base/text.hpp"
#include "hal/sim/random.hpp"
#include "tests/scenario/bed.hpp"
#include "tests/scenario/faults.hpp"

namespace berm::scenario {
namespace {

constexpr double kFlows[] = {200, 60, 20, 20};  // veh/h per lane
constexpr int kLanes[] = {4, 2, 2, 1};
constexpr int kPeriods[] = {60, 60, 60, 300};

double cpu_s() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

struct Traits {
  BedOptions bed;
  FaultMix mix;
};

Traits draw(const LifeOptions& options) {
  hal::SimRandom random(options.seed);
  const auto chance = [&random](double share) { return random.between(0, 1) < share; };
  Traits traits;
  BedOptions& bed = traits.bed;
  bed.seed = options.seed;
  bed.start = wall_s(1'800'000'000 + static_cast<std::int64_t>(random.below(31'536'000)));
  const bool has_traffic = chance(0.3);
  bed.vehicles = options.vehicles < 0 ? has_traffic : options.vehicles == 1;
  const double flow = options.is_quiet ? kFlows[0] : kFlows[random.below(std::size(kFlows))];
  bed.flow_veh_h = bed.vehicles ? flow : 0;
  bed.lanes = options.is_quiet ? kLanes[0] : kLanes[random.below(std::size(kLanes))];
  bed.period_s = options.is_quiet ? kPeriods[0] : kPeriods[random.below(std::size(kPeriods))];
  bed.has_feed = chance(0.2);
  bed.has_file = chance(0.25);
  constexpr std::int64_t kSizes[] = {64 << 20, 64 << 20, 2 << 20, 1 << 20};
  bed.max_bytes = kSizes[random.below(4)];
  if (chance(0.3)) bed.keep_delivered_s = 3600;
  // Some are told more than they can keep while nobody listens.
  traits.mix.outages = chance(0.2);
  if (traits.mix.outages) {
    bed.max_bytes = kSizes[3];
    // Some have so many lanes that minutes must become quarter hours.
    bed.lanes = options.seed % 4 == 1 ? 16 : kLanes[0];
    bed.period_s = kPeriods[0];
    bed.vehicles = options.vehicles != 0;
    bed.flow_veh_h = bed.vehicles ? kFlows[0] : 0;
  }
  FaultMix& mix = traits.mix;
  mix.mean_between = Microseconds{
      std::llround(std::exp(random.between(std::log(600.0), std::log(14400.0))) * 1e6)};
  mix.refusals = chance(0.6);
  mix.clock = chance(0.6);
  mix.read_errors = chance(0.15);
  mix.cards = chance(0.25) && !bed.has_file;
  mix.feed = bed.has_feed;
  mix.documents = bed.has_remote = options.documents;
  if (!options.is_quiet) return traits;
  bed.has_file = bed.has_feed = false;
  bed.max_bytes = 64 << 20;
  mix = {.servers = false,
         .refusals = false,
         .disk = false,
         .clock = false,
         .power = false,
         .processes = false};
  return traits;
}

}  // namespace

LifeResult live(const LifeOptions& options) {
  const double begin_s = cpu_s();
  const Traits traits = draw(options);
  LifeResult result;
  result.traits = text_of(
      "%d lanes of %d s, %.0f veh/h, feed %d, file %d, outbox %lld kB, refusals %d, clock %d, "
      "cards %d, "
      "read errors %d, outages %d, a fault every %lld s",
      traits.bed.lanes, traits.bed.period_s, traits.bed.flow_veh_h, traits.bed.has_feed,
      traits.bed.has_file, static_cast<long long>(traits.bed.max_bytes >> 10), traits.mix.refusals,
      traits.mix.clock, traits.mix.cards, traits.mix.read_errors, traits.mix.outages,
      static_cast<long long>(traits.mix.mean_between.count() / 1'000'000));
  Bed bed(traits.bed);
  bed.keep_lines(options.kept_stream);
  Faults faults(bed, options.seed + 1, traits.mix);
  bed.run(Microseconds{std::llround(options.days * 86400e6)});
  faults.end();
  result.violations = bed.finish();
  result.faults = faults.log();
  result.lines = bed.kept_lines();
  result.events = bed.oracle().receivers().front()->received();
  for (const auto& receiver : bed.oracle().receivers()) result.repeats += receiver->repeats();
  result.vehicles = bed.witness().vehicles_passed();
  result.boots = static_cast<std::int64_t>(bed.cabinet().boots());
  result.cpu_s = cpu_s() - begin_s;
  return result;
}

}  // namespace berm::scenario
