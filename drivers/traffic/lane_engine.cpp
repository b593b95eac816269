// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/lane_engine.hpp"

#include <algorithm>

#include "drivers/traffic/engine_checkpoint.hpp"
#include "hal/base/assert.hpp"

namespace berm::drivers::traffic {
namespace {

constexpr std::int64_t kNeverUs = INT64_MAX / 2;  // something may be added to it

}  // namespace

LaneEngine::LaneEngine(std::vector<EngineLane> lanes, std::int64_t period_s,
                       const hal::Clock& clock, TrafficSink& sink, EngineRules rules)
    : config_(std::move(lanes)),
      rules_(std::move(rules)),
      grid_(period_s),
      clock_(clock),
      sink_(sink) {
  BERM_ASSERT(!config_.empty() && config_.size() <= kMaxLanes);
  lanes_.reserve(config_.size());
  for (std::size_t i = 0; i < config_.size(); ++i) {
    lanes_.emplace_back(config_[i]);
    lines_.push_back({static_cast<std::uint16_t>(i), 0});
    if (config_[i].is_pair) lines_.push_back({static_cast<std::uint16_t>(i), 1});
  }
}

// The clocks, read at most once per call from outside.
const Moment& LaneEngine::moment() {
  if (!is_moment_fresh_) moment_ = Moment::of(clock_);
  is_moment_fresh_ = true;
  return moment_;
}

void LaneEngine::begin(MonoTime now, std::string_view bytes) {
  is_moment_fresh_ = false;
  const std::int64_t now_us = us_of(now);
  auto checkpoint = Checkpoint::decode(bytes);
  for (Lane& lane : lanes_) {
    lane.gate.begin(now_us);
    lane.health.begin(now_us);
  }
  next_tick_us_ = rules_.has_loops ? now_us + kHealthTickUs : kNeverUs;
  if (checkpoint) {
    restore(*checkpoint, now_us);
  } else {
    grid_.begin(moment(), clock_.boot_id(), nullptr);
  }
}

void LaneEngine::restore(Checkpoint& checkpoint, std::int64_t now_us) {
  const PeriodGrid::Begun begun = grid_.begin(moment(), clock_.boot_id(), &checkpoint.grid);
  for (std::size_t i = 0; i < config_.size(); ++i) {
    const Checkpoint::LaneSums* const saved = checkpoint.find(config_[i].uid);
    for (std::size_t k = 0; saved != nullptr && k < begun.interrupted.size(); ++k) {
      sink_.on_period(i, observe(begun.interrupted[k], saved->sums[k], config_[i].is_pair));
    }
    if (saved != nullptr) recall(i, saved->learned, now_us);
    if (!begun.is_resumed) continue;
    LanePeriodSum& sum = lanes_[i].sums[grid_.slot(0)];
    const GridPeriod& period = grid_.oldest();
    if (saved != nullptr) {
      sum = saved->sums[begun.interrupted.size()];
    } else {
      sum.add_unseen(std::max<std::int64_t>(0, now_us - period.start_us - period.unseen_us));
    }
  }
  save();
}

void LaneEngine::recall(std::size_t index, std::string_view learned, std::int64_t now_us) {
  Lane& lane = lanes_[index];
  ByteReader reader(learned);
  SpeedEstimate estimate = lane.gate.estimate();
  if (!estimate.decode(reader) || !lane.health.decode(reader, now_us)) return;
  lane.gate.estimate() = estimate;
  follow_health(index, now_us);
}

void LaneEngine::take(std::span<const hal::Edge> edges, MonoTime now) {
  is_moment_fresh_ = false;
  std::int64_t latest_us = us_of(now);
  for (const hal::Edge& edge : edges) take_one(edge, us_of(now));
  if (!edges.empty() && edges.back().time > now) {
    latest_us = std::min(us_of(edges.back().time), latest_us + kMaxEdgeAheadUs);
  }
  if (due_us_ <= latest_us) settle(latest_us);
  if (next_tick_us_ <= latest_us) tick(latest_us);
  if (grid_.oldest().end_us + kCloseEarliestUs <= latest_us) close_ended(latest_us);
}

void LaneEngine::take_one(const hal::Edge& edge, std::int64_t now_us) {
  ++counts_.edges;
  counts_.lost_edges += edge.lost_before;
  if (edge.line >= lines_.size()) {
    ++counts_.odd_edges;
    return;
  }
  const Line line = lines_[edge.line];
  Lane& lane = lanes_[line.lane];
  std::int64_t time_us = us_of(edge.time);
  Flags odd;
  if (time_us - kMaxEdgeAheadUs > now_us) {
    time_us = now_us;
    odd |= Flag::out_of_order;
  }
  if (time_us >= grid_.newest().end_us) roll_to(time_us);
  if (time_us < grid_.oldest().start_us) odd |= Flag::late;
  // Polls and lost edges say where the line is, not what it did.
  if (edge.lost_before > 0 || edge.tells_state) lane.health.excuse(time_us);
  const bool is_news = lane.health.on_edge(line.loop, time_us, edge.on);
  if (is_news) follow_health(line.lane, time_us);
  const int loop = lane.health.is_swapped() ? 1 - line.loop : line.loop;
  const GateChange change = lane.gate.take(loop, time_us, edge);
  odd |= change.odd;
  LanePeriodSum& sum = lane.sums[grid_.slot(grid_.index_of(change.time_us))];
  if (edge.on) sum.add_pulse(line.loop);
  if (!odd.empty()) {
    ++counts_.odd_edges;
    sum.add_odd(odd);
  }
  if (change.unseen_from_us >= 0) add_unseen(lane, change.unseen_from_us, change.time_us);
  if (change.occupied_from_us >= 0) add_occupied(lane, change.occupied_from_us, change.time_us);
  if (lane.gate.is_ready()) drain(line.lane);
  due_us_ = std::min(due_us_, lane.gate.next_due_us());
}

void LaneEngine::take_passage(std::size_t index, Passage passage, MonoTime now) {
  BERM_ASSERT(index < lanes_.size());
  is_moment_fresh_ = false;
  passage.lead_us = std::min(passage.lead_us, us_of(now));
  if (passage.lead_us >= grid_.newest().end_us) roll_to(passage.lead_us);
  if (passage.lead_us < grid_.oldest().start_us) passage.flags |= Flag::late;
  Lane& lane = lanes_[index];
  LanePeriodSum& sum = lane.sums[grid_.slot(grid_.index_of(passage.lead_us))];
  sum.add_pulse(0);
  sum.add(passage);
  if (passage.on_us > 0) {
    const std::int64_t until_us = passage.lead_us + passage.on_us;
    add_occupied(lane, passage.lead_us, until_us);
    lane.accounted_us = std::max(lane.accounted_us, until_us);
  }
  ++counts_.vehicles;
  sink_.on_passage(index, passage, moment());
}

void LaneEngine::roll_to(std::int64_t time_us) {
  while (grid_.newest().end_us <= time_us) {
    if (grid_.is_full()) close_oldest();
    grid_.open_next(moment());
  }
}

void LaneEngine::add_occupied(Lane& lane, std::int64_t from_us, std::int64_t to_us) {
  from_us = std::max(from_us, lane.accounted_us);
  for (std::size_t i = grid_.index_of(from_us); i < grid_.size(); ++i) {
    if (grid_.at(i).start_us >= to_us) break;
    lane.sums[grid_.slot(i)].add_occupied(grid_.at(i).overlap_us(from_us, to_us));
  }
}

void LaneEngine::add_unseen(Lane& lane, std::int64_t from_us, std::int64_t to_us) {
  for (std::size_t i = 0; i < grid_.size(); ++i) {
    const std::int64_t overlap_us = grid_.at(i).overlap_us(from_us, to_us);
    if (overlap_us == 0) continue;
    lane.sums[grid_.slot(i)].add_unseen(overlap_us);
    lane.sums[grid_.slot(i)].add_flags(Flag::lost_edges);
  }
}

void LaneEngine::drain(std::size_t index) {
  Lane& lane = lanes_[index];
  Passage passage;
  while (lane.gate.pop(passage)) {
    if (passage.lead_us < grid_.oldest().start_us) passage.flags |= Flag::late;
    lane.sums[grid_.slot(grid_.index_of(passage.lead_us))].add(passage);
    lane.health.on_passage(passage);
    if (!passage.counts) continue;
    ++counts_.vehicles;
    ++lane.vehicles;
    sink_.on_passage(index, passage, moment());
  }
}

void LaneEngine::settle(std::int64_t now_us) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].gate.next_due_us() > now_us) continue;
    lanes_[i].gate.settle(now_us);
    decide(i, now_us, INT64_MIN);
    drain(i);
    follow_health(i, now_us);
  }
  due_us_ = INT64_MAX;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].health.next_due_us() <= now_us) {
      tick(now_us);
      break;
    }
  }
  for (const Lane& lane : lanes_)
    due_us_ = std::min({due_us_, lane.gate.next_due_us(), lane.health.next_due_us()});
}

void LaneEngine::decide(std::size_t index, std::int64_t now_us, std::int64_t before_us) {
  LonePulse pulse;
  while (lanes_[index].gate.undecided(now_us, before_us, pulse)) {
    lanes_[index].gate.decide(pulse, verdict_on(index, pulse));
  }
}

bool LaneEngine::is_neighbour(std::size_t index, std::size_t other) const {
  return other != index && config_[other].direction == config_[index].direction;
}

Verdict LaneEngine::verdict_on(std::size_t index, const LonePulse& pulse) {
  Verdict verdict;
  // A loop that has been silent beside the other for a while is no lane changer's.
  if (lanes_[index].health.is_alone(pulse.loop)) return verdict;
  for (std::size_t i = 0; i < lanes_.size() && !verdict.is_elsewhere; ++i) {
    if (!is_neighbour(index, i) || lanes_[i].gate.use() != LoopUse::both) continue;
    if (lanes_[i].health.is_alone(1 - pulse.loop)) continue;
    verdict.is_elsewhere = pulse.loop == 1 ? lanes_[i].gate.claim(pulse.as_second())
                                           : lanes_[i].gate.has_rest_of(pulse);
  }
  if (verdict.is_elsewhere) return verdict;
  // Wires and feeders lie side by side whatever the direction.
  for (std::size_t i = 0; i < lanes_.size() && !verdict.is_shadow; ++i) {
    if (i != index) verdict.is_shadow = lanes_[i].gate.saw(pulse);
  }
  return verdict;
}

// What is wrong, and right again, with the lane's loops.
void LaneEngine::follow_health(std::size_t index, std::int64_t now_us) {
  Lane& lane = lanes_[index];
  LanePeriodSum& sum = lane.sums[grid_.slot(grid_.index_of(now_us))];
  const LoopUse use = lane.health.use();
  while (const auto news = lane.health.next_news()) {
    sum.add_flags(flag_of(news->fault));
    if (news->begins && news->fault == Fault::chatter)
      lane.gate.disown_since(news->since_us, Flag::chatter);
    sink_.on_diagnosis(index, *news);
  }
  if (use != lane.gate.use()) {
    if (lane.gate.is_occupied() && use != LoopUse::none) {
      add_occupied(lane, lane.gate.occupied_since_us(), now_us);
    }
    lane.gate.use(use);
    lane.accounted_us = std::max(lane.accounted_us, now_us);
    drain(index);
  }
  const std::int64_t blind_us = lane.health.blind_since_us();
  if (lane.blind_since_us >= 0 && blind_us < 0) {
    add_blind(lane, now_us - lane.health.doubt_us());
    lane.gate.resume(now_us);
  }
  lane.blind_since_us = blind_us;
  if (lane.health.has_bad_loop()) sum.add_loop_fault();
  due_us_ = std::min({due_us_, lane.gate.next_due_us(), lane.health.next_due_us()});
}

// The stretch since the lane was last seen is not covered, as far as its periods are open.
void LaneEngine::add_blind(Lane& lane, std::int64_t to_us) {
  const std::int64_t from_us = std::max(lane.blind_since_us, lane.unseen_us);
  for (std::size_t i = 0; i < grid_.size(); ++i) {
    lane.sums[grid_.slot(i)].add_unseen(grid_.at(i).overlap_us(from_us, to_us));
  }
  lane.unseen_us = std::max(lane.unseen_us, to_us);
}

void LaneEngine::tick(std::int64_t now_us) {
  next_tick_us_ = now_us + kHealthTickUs;
  LaneHealth::Surroundings around;
  const Moment& now = moment();
  const std::int64_t utc_s = now.wall_at(now_us) / kSecondUs;
  const std::int64_t local_s = utc_s + (rules_.local_offset_s ? rules_.local_offset_s(utc_s) : 0);
  around.local_minute = static_cast<int>((local_s % 86'400 + 86'400) % 86'400 / 60);
  around.has_others = lanes_.size() > 1;
  around.limits = rules_.plan.at(around.local_minute);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!is_input_up()) lanes_[i].health.excuse(now_us);
    around.own = lanes_[i].vehicles;
    around.others = counts_.vehicles - lanes_[i].vehicles;
    lanes_[i].health.tick(now_us, around);
    follow_health(i, now_us);
  }
  if (!rules_.has_daily_tests) return;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (const auto day = lanes_[i].health.finished_day()) {
      judge_day(i, *day, now_us);
      follow_health(i, now_us);
    }
  }
}

void LaneEngine::judge_day(std::size_t index, const DaySamples& day, std::int64_t now_us) {
  DaySamples fullest;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!is_neighbour(index, i)) continue;
    fullest.uncounted = std::max(fullest.uncounted, lanes_[i].health.day().uncounted);
    fullest.crowded = std::max(fullest.crowded, lanes_[i].health.day().crowded);
  }
  lanes_[index].health.judge_day(failed_test_of(day, fullest), now_us);
}

void LaneEngine::advance(MonoTime now) {
  is_moment_fresh_ = false;
  const std::int64_t now_us = us_of(now);
  if (due_us_ <= now_us) settle(now_us);
  if (next_tick_us_ <= now_us) tick(now_us);
  close_ended(now_us);
}

void LaneEngine::close_ended(std::int64_t now_us) {
  while (true) {
    const GridPeriod& oldest = grid_.oldest();
    if (grid_.newest().end_us <= now_us && !grid_.is_full()) {
      grid_.open_next(moment());
      continue;
    }
    if (oldest.end_us + kCloseEarliestUs > now_us) return;
    if (oldest.end_us + kCloseLatestUs > now_us && !grid_.is_full() && !is_ready_to_close(now_us))
      return;
    close_oldest();
  }
}

bool LaneEngine::is_ready_to_close(std::int64_t now_us) const {
  const std::int64_t end_us = grid_.oldest().end_us;
  return std::none_of(lanes_.begin(), lanes_.end(), [end_us, now_us](const Lane& lane) {
    return lane.gate.holds_before(end_us, now_us);
  });
}

void LaneEngine::force_before(std::int64_t end_us) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) decide(i, INT64_MIN, end_us);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].gate.force_before(end_us);
    decide(i, INT64_MIN, end_us);
    drain(i);
  }
}

void LaneEngine::close_oldest() {
  GridPeriod period = grid_.oldest_to_report(moment());
  const std::size_t slot = grid_.slot(0);
  force_before(period.end_us);
  if (grid_.size() == 1) grid_.open_next(moment());
  if (down_since_us_ >= 0) {
    const std::int64_t down_us = period.overlap_us(down_since_us_, period.end_us);
    period.unseen_us += down_us;
    if (down_us > 0) period.flags |= Flag::input_down;
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    if (lane.blind_since_us >= 0) add_blind(lane, period.end_us);
    lane.sums[slot].add_flags(lane.health.held());
    if (lane.health.has_bad_loop()) lane.sums[slot].add_loop_fault();
    if (lane.gate.is_occupied() && lane.gate.occupied_since_us() < period.end_us) {
      add_occupied(lane, lane.gate.occupied_since_us(), period.end_us);
      lane.accounted_us = std::max(lane.accounted_us, period.end_us);
    }
    sink_.on_period(i, observe(period, lane.sums[slot], config_[i].is_pair));
    lane.sums[slot] = LanePeriodSum{};
  }
  ++counts_.periods;
  grid_.close_oldest();
  save();
}

LanePeriod LaneEngine::observe(const GridPeriod& period, const LanePeriodSum& sum, bool is_pair) {
  LanePeriod observation;
  observation.start.mono = mono_us(period.start_us);
  if (const auto start_us = grid_.reported_start_us(period, moment())) {
    observation.start.wall = wall_us(*start_us);
    const bool is_estimate = period.source == ClockSource::none && period.is_foreign;
    observation.start.clock =
        period.source != ClockSource::none || is_estimate ? period.source : moment().source;
  }
  observation.period_s = period.period_s();
  sum.fill(observation, period.length_us(), period.unseen_us, is_pair, period.flags);
  return observation;
}

MonoTime LaneEngine::next_wake() const {
  const GridPeriod& oldest = grid_.oldest();
  std::int64_t wake_us = oldest.end_us + kCloseEarliestUs;
  if (grid_.size() > 1 && us_of(clock_.mono()) >= wake_us) {
    wake_us = std::min(oldest.end_us + kCloseLatestUs, grid_.newest().end_us + kCloseEarliestUs);
  }
  return mono_us(std::min({wake_us, due_us_, next_tick_us_ + kHealthQuietTickUs}));
}

void LaneEngine::set_input(bool is_up, MonoTime since) {
  is_moment_fresh_ = false;
  const std::int64_t since_us = us_of(since);
  if (is_up == is_input_up()) return;
  if (is_up) {
    grid_.add_unseen(down_since_us_, since_us, Flag::input_down);
    down_since_us_ = -1;
    for (Lane& lane : lanes_) {
      lane.gate.resume(since_us);
      lane.health.excuse(since_us);
    }
    return;
  }
  down_since_us_ = since_us;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    if (lane.gate.is_occupied()) add_occupied(lane, lane.gate.occupied_since_us(), since_us);
    lane.health.excuse(since_us);
    lane.gate.fail(since_us);
    drain(i);
  }
}

void LaneEngine::end(MonoTime now) {
  advance(now);
  const std::int64_t now_us = us_of(now);
  while (grid_.oldest().end_us <= now_us) close_oldest();
  // What is on the loops has been seen; its end belongs to nobody.
  force_before(INT64_MAX);
  for (Lane& lane : lanes_) {
    if (!lane.gate.is_occupied()) continue;
    add_occupied(lane, lane.gate.occupied_since_us(), now_us);
    lane.accounted_us = now_us;
  }
  save();
}

bool LaneEngine::report_missed() {
  is_moment_fresh_ = false;
  const std::size_t most = std::max<std::size_t>(1, kMaxMissedPerTurn / lanes_.size());
  for (std::size_t n = 0; n < most; ++n) {
    const auto period = grid_.next_missed();
    if (!period) break;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      sink_.on_period(i, observe(*period, LanePeriodSum{}, config_[i].is_pair));
    }
  }
  save();
  return grid_.has_missed();
}

void LaneEngine::save() {
  Checkpoint checkpoint;
  checkpoint.grid = grid_.save(moment(), clock_.boot_id());
  for (GridPeriod& period : checkpoint.grid.open) {
    if (down_since_us_ < 0) break;
    period.unseen_us += period.overlap_us(down_since_us_, moment().mono_us);
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Checkpoint::LaneSums& lane = checkpoint.lanes.emplace_back();
    lane.uid = config_[i].uid;
    for (std::size_t k = 0; k < grid_.size(); ++k) {
      lane.sums.push_back(lanes_[i].sums[grid_.slot(k)]);
    }
    ByteWriter learned;
    lanes_[i].gate.estimate().encode(learned);
    lanes_[i].health.encode(learned);
    lane.learned = learned.bytes();
  }
  sink_.on_checkpoint(checkpoint.encode());
}

}  // namespace berm::drivers::traffic
