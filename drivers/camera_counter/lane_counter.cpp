// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/lane_counter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "drivers/camera_counter/limits.hpp"

namespace berm::drivers::camera_counter {
namespace {

constexpr double kSettleRows = 14.0;  // a piece waits this long for the others of its vehicle
constexpr double kDefaultRate = 25.0;

struct MovingBlob {
  Blob blob;
  Motion motion;
};

Direction direction_of(bool is_flat, int sign) {
  if (is_flat) return sign > 0 ? Direction::down : Direction::up;
  return sign > 0 ? Direction::right : Direction::left;
}

}  // namespace

struct LaneCounter::State {
  State(LineSampler sampler_in, Direction wanted_in, double rate, double learn_s)
      : sampler(std::move(sampler_in)),
        wanted(wanted_in),
        learn_rows(std::clamp(static_cast<int>(learn_s * rate), 50, kHistoryRows - 64)),
        sample_every(std::max(1, static_cast<int>(kSampleS * rate))),
        refresh_every(std::max(1, static_cast<int>(kRefreshS * rate))),
        evidence(sampler.samples()),
        reservoir(sampler.samples()) {}

  void learn();
  void count(const LineRow& row);
  void refresh();
  bool is_day() const;
  void extract(bool is_end);
  void shape(const MovingBlob& moving);
  void size_up(const std::vector<MovingBlob>& blobs);
  void judge(bool is_end);
  void tell(const VehiclePart& part);
  double usual_speed() const;

  LineSampler sampler;
  Direction wanted;
  int learn_rows, sample_every, refresh_every;
  bool is_learning = true;
  std::vector<LineRow> backlog;
  LineEvidence evidence;
  Reservoir reservoir;
  MotionField field;
  UsualSize usual;
  PartPool pool;
  std::vector<double> speeds;
  std::size_t next_speed = 0;
  double balance = 0.0;  // > 0: most move forward
  std::int64_t rows = 0, first_open = 0, blobs = 0;
  LineEvidence::Glare glare, counted_glare;
  std::vector<LinePassage> passages;
  LineRow scratch;
};

LaneCounter::LaneCounter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LaneCounter::LaneCounter(LaneCounter&&) noexcept = default;
LaneCounter::~LaneCounter() = default;

Result<LaneCounter> LaneCounter::make(const LineSetup& setup, int width, int height, double rate,
                                      double learn_s) {
  BERM_TRY(LineSampler sampler, LineSampler::make(setup.from, setup.to, width, height));
  const double used = rate > 0.0 ? rate : kDefaultRate;
  return LaneCounter(std::make_unique<State>(std::move(sampler), setup.direction, used, learn_s));
}

void LaneCounter::add(const hal::FrameView& frame) {
  state_->sampler.read(frame, state_->scratch);
  if (!state_->is_learning) {
    state_->count(state_->scratch);
    return;
  }
  state_->backlog.push_back(state_->scratch);
  if (static_cast<int>(state_->backlog.size()) >= state_->learn_rows) state_->learn();
}

void LaneCounter::finish() {
  State& state = *state_;
  if (state.is_learning && !state.backlog.empty()) state.learn();
  if (state.rows == 0) return;
  state.evidence.finish();
  state.extract(true);
  state.judge(true);
}

std::vector<LinePassage> LaneCounter::take() {
  std::vector<LinePassage> taken;
  taken.swap(state_->passages);
  return taken;
}

std::int64_t LaneCounter::told_until() const {
  const State& state = *state_;
  if (state.is_learning) return 0;
  const auto settled = state.evidence.end() - static_cast<std::int64_t>(kSettleRows);
  return std::max<std::int64_t>(0, std::min(settled, state.first_open) - kExtractEvery);
}

// The road from the rows so far, then whether brightness may be trusted, then the count.
void LaneCounter::State::learn() {
  is_learning = false;
  const std::size_t stride = std::max<std::size_t>(1, backlog.size() / kReservoir);
  LineEvidence first(sampler.samples());
  std::size_t seen = 0;
  for (const LineRow& row : backlog) {
    first.add(row);
    if (!first.has_step() || seen++ % stride != 0) continue;
    reservoir.add(first.last_row(), first.last_step());
  }
  first.finish();
  if (reservoir.rows() == 0) reservoir.add(first.last_row(), first.last_step());
  Background road;
  reservoir.make(road);
  LineEvidence second(sampler.samples());
  second.set(road);
  for (const LineRow& row : backlog) second.add(row);
  second.finish();
  glare = second.glare();
  road.is_brightness_trusted = is_day();
  evidence.set(std::move(road));
  for (const LineRow& row : std::exchange(backlog, {})) {
    evidence.add(row);
    ++rows;
  }
  counted_glare = evidence.glare();
  extract(false);
}

void LaneCounter::State::count(const LineRow& row) {
  evidence.add(row);
  ++rows;
  if (rows % sample_every == 0) reservoir.add(evidence.last_row(), evidence.last_step());
  if (rows % refresh_every == 0) refresh();
  if (rows % kExtractEvery != 0) return;
  extract(false);
  judge(false);
}

bool LaneCounter::State::is_day() const {
  return glare.smooth <= kGlareShare * glare.bright || glare.bright <= kGlareArea * glare.all;
}

// The road anew, and how much glare there was in the last half minute or so.
void LaneCounter::State::refresh() {
  const LineEvidence::Glare& now = evidence.glare();
  glare.bright = kGlareKept * glare.bright + now.bright - counted_glare.bright;
  glare.smooth = kGlareKept * glare.smooth + now.smooth - counted_glare.smooth;
  glare.all = kGlareKept * glare.all + now.all - counted_glare.all;
  counted_glare = now;
  Background road = evidence.background();
  reservoir.make(road);
  road.is_brightness_trusted = is_day();
  evidence.set(std::move(road));
}

double LaneCounter::State::usual_speed() const {
  if (speeds.empty()) return 1.0;
  std::vector<double> sorted = speeds;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                   sorted.end());
  return sorted[sorted.size() / 2];
}

void LaneCounter::State::extract(bool is_end) {
  std::vector<MovingBlob> moving;
  for (Blob& blob : extract_blobs(evidence, first_open, is_end)) {
    Motion motion = measure_motion(evidence, blob);
    moving.push_back({std::move(blob), motion});
  }
  if (moving.empty()) return;
  for (const MovingBlob& one : moving) {
    if (one.motion.correlation <= kGoodCorrelation || one.blob.area <= kMinMotionCells) continue;
    field.add(one.blob.middle_column(), one.motion.slant());
    balance = 0.98 * balance + one.motion.sign() * one.blob.area;
    if (speeds.size() < kKeptShapes) speeds.push_back(0.0);
    speeds[next_speed++ % kKeptShapes] = one.motion.speed();
  }
  field.fit();
  size_up(moving);
  for (const MovingBlob& one : moving) shape(one);
}

// Learns the usual size first, so that a film's first vehicles are judged as its last.
void LaneCounter::State::size_up(const std::vector<MovingBlob>& moving) {
  std::vector<Silhouette> shapes;
  for (const MovingBlob& one : moving) {
    if (!one.motion.is_known() || one.blob.area < kMinMotionCells) continue;
    shapes.push_back(
        make_silhouette(evidence, one.blob, one.motion.speed(), one.motion.sign(), field));
    std::vector<int> whole(shapes.back().cells.begin(), shapes.back().cells.end());
    usual.add_blob(usual_width(row_widths(shapes.back(), whole, 1)));
  }
  usual.settle();
  for (const Silhouette& silhouette : shapes) {
    if (silhouette.first_row <= 1.0) continue;
    for (const RoughPart& part : rough_parts(silhouette, usual.blob_width())) {
      const double w = usual.blob_width();
      if (part.area > kSmallArea * w * w) usual.add_part(part.width, part.last - part.first);
    }
  }
  usual.settle();
}

void LaneCounter::State::shape(const MovingBlob& moving) {
  const bool is_known = moving.motion.is_known();
  const double speed = is_known ? moving.motion.speed() : usual_speed();
  const int sign = is_known ? moving.motion.sign() : balance < 0.0 ? -1 : 1;
  const Silhouette silhouette = make_silhouette(evidence, moving.blob, speed, sign, field);
  ++blobs;
  std::vector<VehiclePart> parts;
  for (const RoughPart& rough : rough_parts(silhouette, usual.blob_width())) {
    add_parts(silhouette, rough, moving.motion, blobs, usual, parts);
  }
  for (VehiclePart& part : parts) pool.add(part);
}

void LaneCounter::State::judge(bool is_end) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const double end = is_end ? static_cast<double>(rows) : kNever;
  const double settled =
      is_end ? kNever : static_cast<double>(std::min(evidence.end(), first_open)) - kSettleRows;
  for (const PartPool::Judged& one :
       pool.take(settled, 0.0, end, usual, evidence.background().is_brightness_trusted)) {
    if (one.verdict == Verdict::vehicle) tell(one.part);
  }
}

void LaneCounter::State::tell(const VehiclePart& part) {
  // A vehicle on the edge of the line belongs to it if its middle is not beyond the edge.
  if (part.column < sampler.first() - 0.02 * (sampler.last() - sampler.first())) return;
  if (part.column > sampler.last() + 0.35 * usual.width()) return;
  LinePassage passage;
  passage.direction = direction_of(sampler.is_flat(), part.sign);
  if (wanted != Direction::both && wanted != passage.direction) return;
  passage.frame = part.middle();
  passage.begin = part.begin;
  passage.end = part.end;
  passage.pixels_per_frame = part.speed * sampler.step();
  passage.length_pixels = part.length * sampler.step();
  passage.width_pixels = part.width * sampler.step();
  passage.size = part.area / std::max(1.0, usual.width() * usual.length());
  passage.confidence = std::clamp(part.correlation, 0.0, 1.0) * std::min(1.0, 2.0 * passage.size);
  passages.push_back(passage);
}

}  // namespace berm::drivers::camera_counter
