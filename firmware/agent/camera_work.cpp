// SPDX-License-Identifier: Apache-2.0
// berm-camera work: the worker that the agent starts, one per camera. Reads its options from
// standard input, counts until its camera fails or the agent ends it, and says what it finds on
// standard output (drivers/camera_counter/worker_protocol.hpp). It writes no file, opens no socket
// and never lets a picture out.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>

#include "drivers/camera_counter/limits.hpp"
#include "drivers/camera_counter/view_watch.hpp"
#include "drivers/camera_counter/worker_protocol.hpp"
#include "firmware/agent/camera_verbs.hpp"
#include "hal/child_process.hpp"
#include "hal/linux/clock.hpp"
#include "hal/linux/ffmpeg_source.hpp"

namespace berm::agent {
namespace {

using namespace drivers::camera_counter;

constexpr std::int64_t kTellEveryUs = 500'000;
constexpr std::size_t kKeptTimes = 1024;  // more pictures than a line remembers

std::int64_t mono_now_us() {
  return us_of(hal::read_mono_clock());
}

// False: nobody listens any more.
bool say(const WorkerLine& line) {
  const std::string text = line_text(line);
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    done += static_cast<std::size_t>(wrote);
  }
  return true;
}

std::string read_input() {
  std::string text;
  char bytes[4096];
  ssize_t got = 0;
  while ((got = ::read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
    text.append(bytes, static_cast<std::size_t>(got));
    if (text.size() > hal::kMaxChildInput) break;
  }
  return text;
}

class Worker {
 public:
  Worker(const CounterOptions& options, hal::FfmpegSource& source)
      : options_(options), source_(source), rate_(source.rate() > 0.0 ? source.rate() : 25.0) {}

  Result<void> begin() {
    for (const LaneOptions& lane : options_.lanes) {
      auto made = LaneCounter::make(lane.camera.line, source_.width(), source_.height(), rate_,
                                    kLearnLiveS);
      if (!made) return fail(std::move(made.error()).with_context("lane " + lane.camera.name));
      counters_.push_back(std::move(*made));
    }
    return {};
  }

  // Until the camera fails, which is its Error, or nobody listens.
  Result<void> run() {
    last_told_us_ = mono_now_us();
    for (;;) {
      BERM_TRY(const hal::FrameView frame, source_.next());
      const std::int64_t now_us = mono_now_us();
      times_[static_cast<std::size_t>(frames_++) % kKeptTimes] = now_us;
      if (frames_ == 1 && !say(ReadyLine{frame.width, frame.height})) return {};
      for (LaneCounter& counter : counters_) counter.add(frame);
      if (const auto view = watch_.look(frame, now_us); view && !say(ViewLine{*view})) return {};
      if (!tell_passages() || !tell_progress(now_us)) return {};
    }
  }

 private:
  // The time of a picture, between pictures where need be.
  std::int64_t time_of(double frame) const {
    const auto first = std::max<std::int64_t>(0, frames_ - static_cast<std::int64_t>(kKeptTimes));
    const auto low = std::clamp(static_cast<std::int64_t>(frame), first, frames_ - 1);
    const auto high = std::min(low + 1, frames_ - 1);
    const std::int64_t from = times_[static_cast<std::size_t>(low) % kKeptTimes];
    const std::int64_t to = times_[static_cast<std::size_t>(high) % kKeptTimes];
    const double share = std::clamp(frame - static_cast<double>(low), 0.0, 1.0);
    return from + static_cast<std::int64_t>(share * static_cast<double>(to - from));
  }

  bool tell_passages() {
    for (std::size_t i = 0; i < counters_.size(); ++i) {
      for (const LinePassage& passage : counters_[i].take()) {
        PassLine line;
        line.lane = i;
        line.lead_us = time_of(passage.begin);
        line.on_us = std::max<std::int64_t>(0, time_of(passage.end) - line.lead_us);
        line.confidence = passage.confidence;
        const Measured measured = measure(options_.lanes[i].camera, passage, rate_);
        if (!std::isnan(measured.speed_kmh)) line.speed_kmh = measured.speed_kmh;
        if (!std::isnan(measured.length_m)) line.length_m = measured.length_m;
        line.length_class = measured.length_class;
        if (!say(line)) return false;
      }
    }
    return true;
  }

  bool tell_progress(std::int64_t now_us) {
    if (now_us - last_told_us_ < kTellEveryUs) return true;
    std::int64_t told = INT64_MAX;
    for (const LaneCounter& counter : counters_) told = std::min(told, counter.told_until());
    const double wanted = static_cast<double>(now_us - last_told_us_) * 1e-6 * rate_;
    const double seen = static_cast<double>(frames_ - frames_told_) / std::max(1.0, wanted);
    last_told_us_ = now_us;
    frames_told_ = frames_;
    if (told <= 0) return true;
    return say(ToldLine{time_of(static_cast<double>(told)), std::clamp(seen, 0.0, 1.0)});
  }

  const CounterOptions& options_;
  hal::FfmpegSource& source_;
  double rate_;
  std::vector<LaneCounter> counters_;
  ViewWatch watch_;
  std::array<std::int64_t, kKeptTimes> times_{};
  std::int64_t frames_ = 0, frames_told_ = 0, last_told_us_ = 0;
};

int fault(const Error& error, int code) {
  say(FaultLine{error.text.empty() ? "unknown" : error.text});
  return complain_camera("work", error.text, code);
}

}  // namespace

int camera_work_verb(Words words) {
  if (!words.empty()) return complain_camera("work", "takes no words", kBadUsage);
  const auto document = Json::parse(read_input());
  if (!document) return fault(document.error(), kBadUsage);
  const auto options = parse_camera(*document, "input");
  if (!options) return fault(options.error(), kBadUsage);
  hal::FfmpegPlan plan;
  plan.address = options->camera;
  plan.is_paced = true;
  const auto source = hal::FfmpegSource::open(plan);
  if (!source) return fault(source.error(), kFailed);
  Worker worker(*options, **source);
  if (const auto begun = worker.begin(); !begun) return fault(begun.error(), kBadUsage);
  if (const auto ended = worker.run(); !ended) return fault(ended.error(), kFailed);
  return kDone;
}

}  // namespace berm::agent
