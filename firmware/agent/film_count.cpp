// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/film_count.hpp"

#include <algorithm>

#include "drivers/camera_counter/limits.hpp"
#include "hal/linux/cpu_time.hpp"
#include "hal/linux/ffmpeg_source.hpp"

namespace berm::agent {
namespace {

using drivers::camera_counter::CameraLane;
using drivers::camera_counter::LaneCounter;

}  // namespace

Result<FilmCost> count_film(const std::vector<CameraLane>& lanes, const std::string& film,
                            const std::function<void(const FilmPassage&)>& on_passage) {
  BERM_TRY(const auto source, hal::FfmpegSource::open({.address = film}));
  std::vector<LaneCounter> counters;
  for (const CameraLane& lane : lanes) {
    auto made = LaneCounter::make(lane.line, source->width(), source->height(), source->rate(),
                                  drivers::camera_counter::kLearnFilmS);
    if (!made) return fail(std::move(made.error()).with_context("lane " + lane.name));
    counters.push_back(std::move(*made));
  }
  FilmCost cost;
  cost.rate = source->rate() > 0.0 ? source->rate() : 25.0;
  std::vector<FilmPassage> waiting;
  const auto collect = [&](std::int64_t told) {
    for (std::size_t i = 0; i < counters.size(); ++i) {
      for (const auto& passage : counters[i].take()) waiting.push_back({i, passage, cost.rate});
    }
    std::sort(waiting.begin(), waiting.end(), [](const FilmPassage& a, const FilmPassage& b) {
      return a.passage.frame < b.passage.frame;
    });
    std::size_t ready = 0;
    while (ready < waiting.size() && waiting[ready].passage.frame < static_cast<double>(told)) {
      on_passage(waiting[ready++]);
    }
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(ready));
  };
  for (;;) {
    const auto frame = source->next();
    if (!frame && frame.error().code != ErrorCode::closed) return fail(frame.error());
    const double before = hal::thread_cpu_s();
    std::int64_t told = INT64_MAX;
    for (LaneCounter& counter : counters) {
      if (frame) {
        counter.add(*frame);
        told = std::min(told, counter.told_until() - drivers::camera_counter::kMaxBlobRows);
      } else {
        counter.finish();
      }
    }
    cost.count_cpu_s += hal::thread_cpu_s() - before;
    collect(told);
    if (!frame) break;
    ++cost.frames;
  }
  return cost;
}

}  // namespace berm::agent
