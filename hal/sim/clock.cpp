// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/clock.hpp"

#include <cmath>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::hal {
namespace {

std::string uuid_of(Random& random) {
  const std::uint64_t a = random.next_u64();
  const std::uint64_t b = random.next_u64();
  return text_of("%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(a >> 32),
                 static_cast<unsigned>((a >> 16) & 0xffff), static_cast<unsigned>(a & 0xfff),
                 static_cast<unsigned>(0x8000 | ((b >> 48) & 0x3fff)),
                 static_cast<unsigned long long>(b & 0xffffffffffff));
}

}  // namespace

SimClock::SimClock(const Loop& loop, SimClockOptions options)
    : loop_(&loop),
      base_mono_(loop.now()),
      base_wall_(options.start),
      base_exact_(options.start),
      source_(options.source),
      boot_id_(std::move(options.boot_id)) {}

WallTime SimClock::true_wall() const {
  const Microseconds passed = loop_->now() - base_mono_;
  const double gained = static_cast<double>(passed.count()) * drift_ppm_ * 1e-6;
  return base_wall_ + passed + Microseconds{std::llround(gained)};
}

void SimClock::rebase() {
  const WallTime exact_now = exact();
  base_wall_ = true_wall();
  base_exact_ = exact_now;
  base_mono_ = loop_->now();
}

void SimClock::set_drift_ppm(double ppm) {
  rebase();
  drift_ppm_ = ppm;
}

void SimClock::reboot(const Loop& next, Random& random, Microseconds off) {
  rebase();
  base_wall_ += off;
  base_exact_ += off;
  loop_ = &next;
  base_mono_ = next.now();
  boot_id_ = uuid_of(random);
}

RateScale::RateScale(MonoTime origin, double rate) : origin_(origin), rate_(rate) {
  BERM_ASSERT(rate >= 0.001 && rate <= 100'000.0);
}

MonoTime RateScale::fast(MonoTime real) const {
  const auto passed = static_cast<double>((real - origin_).count());
  return origin_ + Microseconds{static_cast<std::int64_t>(std::floor(passed * rate_))};
}

MonoTime RateScale::real(MonoTime fast_time) const {
  const auto passed = static_cast<double>((fast_time - origin_).count());
  MonoTime guess = origin_ + Microseconds{static_cast<std::int64_t>(std::floor(passed / rate_))};
  while (fast(guess) < fast_time) guess += Microseconds{1};
  return guess;
}

TimerId RateLoop::at(MonoTime time, Callback callback) {
  const TimerId id = timers_.add(time, std::move(callback));
  if (!is_running_) arm();
  return id;
}

void RateLoop::arm() {
  if (timers_.is_empty()) return wake_.cancel();
  const MonoTime real = scale_.real(timers_.next_time());
  if (wake_.is_set() && armed_for_ == real) return;
  armed_for_ = real;
  wake_.at(real, [this] { run_due(); });
}

void RateLoop::run_due() {
  const MonoTime turn = now();
  // A timer made in this turn belongs to the next one, so that the real loop gets its turn too.
  const std::uint64_t made_before = timers_.next_sequence();
  is_running_ = true;
  while (!timers_.is_empty() && timers_.next_time() <= turn &&
         timers_.first_sequence() < made_before) {
    const Callback callback = timers_.take_first();
    callback();
  }
  is_running_ = false;
  arm();
}

}  // namespace berm::hal
