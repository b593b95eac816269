// SPDX-License-Identifier: Apache-2.0
// Replay: drives the configured drivers from a recording in virtual time, as fast as the machine
// can, and hands out every event as a finished line. The same input gives the same bytes: identity
// is fixed (epoch `replay`), sequences count from 1, time begins at `start`, and nothing else is
// read. Ends with the period that holds the last record, emitted whole: what would begin after it
// is not told. One thread; memory does not grow with the recording.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "firmware/control/configuration.hpp"
#include "hal/base/result.hpp"
#include "hal/base/time.hpp"

namespace berm::agent {

struct ReplayOptions {
  std::string signals;                   // a recording: `.csv`, `.csv.gz`, `.rec`
  WallTime start = wall_s(946'684'800);  // 2000-01-01T00:00:00Z
  std::uint64_t seed = 1;
};

struct ReplaySummary {
  std::uint64_t edges = 0;
  std::uint64_t unknown_loops = 0;  // records of loops that no driver has
  std::uint64_t events = 0;
};

// `write` gets each line without its newline, in order. Error: a driver that cannot be made, or a
// recording that cannot be read (with the line's number); events written so far stand.
Result<ReplaySummary> replay(const control::NodeConfiguration& configuration,
                             const ReplayOptions& options,
                             const std::function<void(std::string_view line)>& write);

}  // namespace berm::agent
