// SPDX-License-Identifier: Apache-2.0
// camera_bench [SEEDS]: the camera counter over rendered traffic of each kind, SEEDS films of 40 s
// each (default 3), as rows of bench/camera's table.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/support/rendered_count.hpp"

namespace {

struct Kind {
  const char* name;
  void (*change)(berm::hal::RenderedScene& scene);
};

constexpr Kind kKinds[] = {
    {"day", [](berm::hal::RenderedScene&) {}},
    {"shadow", [](berm::hal::RenderedScene& scene) { scene.has_shadow = true; }},
    {"rain", [](berm::hal::RenderedScene& scene) { scene.rain = 0.5; }},
    {"shake", [](berm::hal::RenderedScene& scene) { scene.shake_pixels = 1.5; }},
    {"exposure", [](berm::hal::RenderedScene& scene) { scene.has_exposure_jumps = true; }},
    {"night", [](berm::hal::RenderedScene& scene) { scene.is_night = true; }},
    {"night, rain",
     [](berm::hal::RenderedScene& scene) {
       scene.is_night = true;
       scene.rain = 0.5;
     }},
};

}  // namespace

int main(int count, char** words) {
  const int seeds = count > 1 ? std::atoi(words[1]) : 3;
  for (const Kind& kind : kKinds) {
    berm::drivers::camera_counter::Agreement all;
    double ms = 0.0;
    double speed = 0.0;
    double length = 0.0;
    for (int seed = 1; seed <= seeds; ++seed) {
      berm::hal::RenderedScene scene;
      scene.seconds = 40.0;
      scene.seed = static_cast<std::uint64_t>(seed);
      kind.change(scene);
      const auto film = berm::tests::count_rendered(scene);
      all += film.agreement;
      ms += film.ms_per_frame / seeds;
      speed += film.speed_error / seeds;
      length += film.length_error / seeds;
    }
    std::printf(
        "%-32s %-7s %5d %7d %5d %9.3f %6.3f %6.3f %7d %8.3f  speed %.1f %%, length %.2f m\n",
        (std::string("rendered ") + kind.name).c_str(), "both", all.truth, all.counted, all.right,
        all.precision(), all.recall(), all.f1(), std::abs(all.counted - all.truth), ms,
        100.0 * speed, length);
  }
  return 0;
}
