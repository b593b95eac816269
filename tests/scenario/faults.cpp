// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/faults.hpp"

#include <cmath>
#include <utility>

#include "hal/base/text.hpp"

namespace berm::scenario {
namespace {

constexpr std::size_t kMaxLog = 1000;
constexpr std::int64_t kMaxOffS = 6 * 3600;

}  // namespace

Faults::Faults(Bed& bed, std::uint64_t seed, FaultMix mix)
    : bed_(bed), random_(seed), mix_(mix), next_(bed.world()) {
  const auto add = [this](bool is_wanted, std::initializer_list<Kind> kinds) {
    if (is_wanted) kinds_.insert(kinds_.end(), kinds);
  };
  add(mix.servers, {{4, "flume mood", &Faults::flume_mood},
                    {2, "flume away", &Faults::flume_away},
                    {3, "answers lost", &Faults::flume_loses_answers},
                    {2, "second channel full", &Faults::flume_replicates},
                    {4, "link trouble", &Faults::link_trouble},
                    {2, "broker away", &Faults::broker_away},
                    {2, "broker frozen", &Faults::broker_frozen},
                    {1, "broker refuses connections", &Faults::broker_refuses_connections},
                    {2, "broker throws out", &Faults::broker_throws_out}});
  add(mix.refusals, {{2, "flume refuses", &Faults::flume_refuses},
                     {2, "broker refuses events", &Faults::broker_refuses_events},
                     {1, "nobody subscribed", &Faults::nobody_subscribed}});
  add(mix.disk, {{2, "slow disk", &Faults::slow_disk},
                 {1, "stalled disk", &Faults::stalled_disk},
                 {2, "disk error", &Faults::disk_error},
                 {1, "full disk", &Faults::full_disk}});
  add(mix.read_errors, {{1, "read error", &Faults::disk_read_error}});
  add(mix.clock, {{3, "clock step", &Faults::clock_step}, {1, "drift", &Faults::clock_drift}});
  add(mix.power, {{2, "power cut", &Faults::power_cut},
                  {3, "power cut at an operation", &Faults::power_cut_at_operation}});
  add(mix.processes, {{2, "kill", &Faults::kill}, {2, "restart", &Faults::restart}});
  add(mix.cards, {{1, "card moved", &Faults::move_card}, {2, "backup", &Faults::backup}});
  add(mix.outages, {{3, "outage", &Faults::outage}});
  add(mix.documents, {{10, "document", &Faults::document}});
  add(mix.feed, {{4, "feed mood", &Faults::feed_mood}});
  for (const Kind& kind : kinds_) weights_ += kind.weight;
  if (weights_ > 0) plan();
}

void Faults::end() {
  has_ended_ = true;
  next_.cancel();
  pending_.clear();
}

void Faults::plan() {
  const double mean = static_cast<double>(mix_.mean_between.count());
  next_.after(Microseconds{std::llround(random_.exponential(mean))}, [this] { strike(); });
}

void Faults::strike() {
  auto left = static_cast<int>(random_.below(static_cast<std::uint64_t>(weights_)));
  const Kind* chosen = kinds_.data();
  while (left >= chosen->weight) left -= (chosen++)->weight;
  ++count_;
  note(chosen->name);
  (this->*chosen->strike)();
  plan();
}

void Faults::note(const std::string& what) {
  if (log_.size() >= kMaxLog) return;
  log_.push_back(instant_text(bed_.now()) + "  " + what);
}

// As many short ones as long ones.
Microseconds Faults::duration(std::int64_t most_s) {
  const double exponent = random_.between(0, std::log(static_cast<double>(most_s)));
  return Microseconds{std::llround(std::exp(exponent) * 1e6)};
}

void Faults::later(Microseconds delay, std::function<void()> what) {
  std::erase_if(pending_, [](const auto& timer) { return !timer->is_set(); });
  pending_.push_back(std::make_unique<hal::Timer>(bed_.world()));
  pending_.back()->after(delay, std::move(what));
}

// --- servers ---

void Faults::flume_mood() {
  constexpr FlumeMood kMoods[] = {FlumeMood::too_many, FlumeMood::busy, FlumeMood::portal,
                                  FlumeMood::not_there};
  bed_.centre().set_flume_mood(kMoods[random_.below(std::size(kMoods))]);
  later(duration(), [this] { bed_.centre().set_flume_mood(FlumeMood::sound); });
}

void Faults::flume_refuses() {
  constexpr FlumeMood kMoods[] = {FlumeMood::bad_request, FlumeMood::broken, FlumeMood::too_long};
  bed_.flume().excuse_order();
  bed_.centre().set_flume_mood(kMoods[random_.below(std::size(kMoods))]);
  later(duration(), [this] { bed_.centre().set_flume_mood(FlumeMood::sound); });
}

void Faults::flume_away() {
  bed_.centre().set_flume_up(false);
  later(duration(), [this] { bed_.centre().set_flume_up(true); });
}

void Faults::outage() {
  const auto time = Microseconds{std::llround(random_.between(6, 18) * 3600e6)};
  if (chance(0.5)) {
    bed_.centre().set_flume_up(false);
    later(time, [this] { bed_.centre().set_flume_up(true); });
  } else {
    bed_.centre().set_broker_up(false);
    later(time, [this] { bed_.centre().set_broker_up(true); });
  }
}

void Faults::flume_loses_answers() {
  const char* const host = chance(0.5) ? kFlumeHost : kBrokerHost;
  bed_.network().lose_answers(host, static_cast<int>(1 + random_.below(5)));
}

void Faults::flume_replicates() {
  bed_.centre().set_second_channel_full(true);
  later(duration(), [this] { bed_.centre().set_second_channel_full(false); });
}

void Faults::feed_mood() {
  constexpr FeedMood kMoods[] = {FeedMood::away, FeedMood::portal, FeedMood::cut, FeedMood::silent,
                                 FeedMood::stuck};
  bed_.feed_site().set_mood(kMoods[random_.below(std::size(kMoods))]);
  later(duration(), [this] { bed_.feed_site().set_mood(FeedMood::sound); });
}

void Faults::link_trouble() {
  const char* const host = chance(0.5) ? kFlumeHost : kBrokerHost;
  hal::SimLink link;
  switch (random_.below(7)) {
    case 0:
      link.refuse = true;
      break;
    case 1:
      link.is_unknown = true;
      break;
    case 2:
      link.stall = true;
      break;
    case 3:
      link.stall_answers = true;
      break;
    case 4:
      link.latency = Microseconds{300'000};
      link.bytes_per_s = 2000;
      break;
    case 5:
      link.cut_share = 0.2;
      link.refuse_share = 0.3;
      link.lose_answer_share = 0.2;
      break;
    default:
      bed_.centre().cut(host);
      return;
  }
  bed_.centre().set_link(host, link);
  later(duration(), [this, host] { bed_.centre().set_link(host, {}); });
}

void Faults::broker_away() {
  bed_.centre().set_broker_up(false);
  later(duration(), [this] { bed_.centre().set_broker_up(true); });
}

void Faults::broker_frozen() {
  bed_.centre().broker().freeze();
  later(duration(), [this] { bed_.centre().broker().thaw(); });
}

void Faults::broker_refuses_events() {
  constexpr int kReasons[] = {131, 135, 151, 128, 144, 149, 153};
  bed_.broker().excuse_order();
  bed_.centre().set_puback_reason(kReasons[random_.below(std::size(kReasons))]);
  later(duration(), [this] { bed_.centre().set_puback_reason(0); });
}

void Faults::nobody_subscribed() {
  bed_.broker().excuse_order();
  bed_.centre().set_subscribed(false);
  later(duration(), [this] { bed_.centre().set_subscribed(true); });
}

void Faults::broker_refuses_connections() {
  bed_.centre().broker().set_connack_reason(chance(0.5) ? 136 : 135);
  bed_.centre().cut(kBrokerHost);
  later(duration(), [this] { bed_.centre().broker().set_connack_reason(0); });
}

void Faults::broker_throws_out() {
  constexpr int kReasons[] = {142, 141, 139, 0};
  bed_.centre().broker().throw_out("e19-km31", kReasons[random_.below(std::size(kReasons))]);
}

// --- disk ---

void Faults::slow_disk() {
  const auto latency = Microseconds{std::llround(random_.between(50e3, 10e6))};
  bed_.cabinet().disk().volume().set_latency(hal::DiskOperation::sync, latency);
  later(duration(1800), [this] {
    bed_.cabinet().disk().volume().set_latency(hal::DiskOperation::sync, Microseconds{0});
  });
}

void Faults::stalled_disk() {
  bed_.cabinet().stall_disk(true);
  later(duration(300), [this] { bed_.cabinet().stall_disk(false); });
}

void Faults::disk_error() {
  constexpr hal::DiskOperation kOperations[] = {
      hal::DiskOperation::write, hal::DiskOperation::sync, hal::DiskOperation::truncate,
      hal::DiskOperation::open, hal::DiskOperation::sync_directory};
  hal::DiskFault fault;
  fault.operation = kOperations[random_.below(std::size(kOperations))];
  fault.kind = chance(0.3) ? hal::DiskFaultKind::no_space : hal::DiskFaultKind::io;
  if (fault.operation != hal::DiskOperation::write && fault.operation != hal::DiskOperation::open) {
    fault.kind = hal::DiskFaultKind::io;
  }
  fault.let_pass = random_.below(40);
  bed_.cabinet().disk().volume().inject(fault);
}

void Faults::disk_read_error() {
  hal::DiskFault fault;
  fault.operation = hal::DiskOperation::read;
  fault.let_pass = random_.below(100);
  bed_.cabinet().disk().volume().inject(fault);
}

void Faults::full_disk() {
  hal::SimVolume& volume = bed_.cabinet().disk().volume();
  const std::uint64_t before = volume.capacity();
  volume.set_capacity(volume.used() + random_.below(20'000));
  later(duration(), [this, before] { bed_.cabinet().disk().volume().set_capacity(before); });
}

// --- clock ---

void Faults::clock_step() {
  bed_.oracle().excuse_clock();
  const Microseconds by = duration(4 * 3600) * (chance(0.5) ? 1 : -1);
  bed_.cabinet().clock().step(by);
  note("  by " + std::to_string(by.count() / 1'000'000) + " s");
  if (chance(0.5)) later(duration(), [this, by] { bed_.cabinet().clock().step(-by); });
}

void Faults::clock_drift() {
  bed_.oracle().excuse_clock();
  bed_.cabinet().clock().set_drift_ppm(random_.between(-200, 200));
}

// --- power and processes ---

void Faults::power_cut() {
  Cabinet& cabinet = bed_.cabinet();
  if (mix_.clock && chance(0.3)) {
    bed_.oracle().excuse_clock();
    cabinet.boot_clock = {.has_rtc = false, .known_after = duration(8 * 3600)};
    note("  and no clock for " +
         std::to_string(cabinet.boot_clock.known_after.count() / 1'000'000) + " s");
  } else {
    cabinet.boot_clock = {};
  }
  cabinet.power_cut(duration(kMaxOffS));
}

void Faults::power_cut_at_operation() {
  bed_.cabinet().power_cut_at_operation(1 + random_.below(400), duration(600));
}

void Faults::kill() {
  bed_.cabinet().kill(duration(60));
}

void Faults::restart() {
  bed_.cabinet().restart(duration(60));
}

void Faults::move_card() {
  bed_.cabinet().move_card("machine-" + std::to_string(++machines_), duration(3600));
}

// Good ones, refused ones, and ones that cut the node off until it goes back by itself.
void Faults::document() {
  const auto number = [this](std::uint64_t least, std::uint64_t most) {
    return std::to_string(least + random_.below(most - least));
  };
  const auto most = static_cast<std::uint64_t>(bed_.max_bytes());
  const std::string documents[] = {
      R"({"uplinks":{"broker":{"linger_ms":)" + number(0, 3000) + "}}}",
      R"({"uplinks":{"flume":{"batch_events":)" + number(1, 300) + "}}}",
      R"({"outbox":{"keep_delivered_s":)" + number(3600, 900'000) + "}}",
      R"({"outbox":{"max_bytes":)" + number(most, most + (1 << 20)) + "}}",
      R"({"site":{"km":)" + number(1, 90) + "}}",
      R"({"uplinks":{"broker":{"url":"mqtt://nowhere:1883"}}})",
      R"({"uplinks":{"broker":{"url":"mqtt://flume:1883","linger_ms":1}}})",
      R"({"uplinks":{"broker":{"lnger_ms":1}}})",
      R"({"node":"another"})",
      R"({"uplinks":{"broker":null}})",
      "{}"};
  const std::string& chosen = documents[random_.below(std::size(documents))];
  note("  " + chosen);
  bed_.set_configuration(chosen);
  // Sometimes the power goes while it is tried.
  if (mix_.power && chance(0.2)) power_cut_at_operation();
}

// Taken now, restored some time later; once in a life.
void Faults::backup() {
  if (bed_.cabinet().has_backup() || !bed_.cabinet().is_running()) return;
  bed_.oracle().mark_backup();
  bed_.cabinet().back_up();
  later(duration(12 * 3600), [this] {
    note("backup restored");
    bed_.oracle().excuse_restored();
    bed_.cabinet().restore_backup(duration(3600));
  });
}

}  // namespace berm::scenario
