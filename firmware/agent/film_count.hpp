// SPDX-License-Identifier: Apache-2.0
// FilmCount: all lanes of one camera over one film, from its first to its last picture, and what
// that cost. Used by the verbs count and score.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "drivers/camera_counter/camera_lane.hpp"

namespace berm::agent {

struct FilmPassage {
  std::size_t lane = 0;
  drivers::camera_counter::LinePassage passage;
  double rate = 0.0;  // pictures a second
};

struct FilmCost {
  std::int64_t frames = 0;
  double rate = 0.0;
  double count_cpu_s = 0.0;  // beyond decoding, which is another process's
};

// `on_passage` in the order of the passages' middles, at the end of the film at the latest. Fails
// where the film cannot be read or a line is outside of it.
Result<FilmCost> count_film(const std::vector<drivers::camera_counter::CameraLane>& lanes,
                            const std::string& film,
                            const std::function<void(const FilmPassage&)>& on_passage);

}  // namespace berm::agent
