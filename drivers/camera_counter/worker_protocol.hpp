// SPDX-License-Identifier: Apache-2.0
// What the camera worker says to the agent: one line each, ASCII, fields with one space between,
// at most kMaxChildLine bytes; never a picture. Times are µs of CLOCK_MONOTONIC, which both share.
//
//   ready WIDTH HEIGHT                  the camera gives pictures; counting has begun
//   pass LANE LEAD_US ON_US SPEED LENGTH CLASS CONFIDENCE
//        LANE is the number of the lane in the configuration's order; SPEED in hundredths of km/h
//        and LENGTH in cm, or "-"; CLASS 1…5 or "-"; CONFIDENCE 0…1000
//   told UNTIL_US SEEN                  everything that ended before UNTIL_US has been told; SEEN
//   is
//        the share of pictures since the last such line that were seen, 0…1000
//   view WORD                           good, dark, frozen, moved: what the picture is worth
//   fault TEXT                          why it is about to end, printable
//
// Strict: any other line is no line (nullopt), and the worker that said it is not believed any
// longer. Numbers are plain decimals within their ranges. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace berm::drivers::camera_counter {

enum class View : std::uint8_t { good, dark, frozen, moved };
std::string_view word_of(View view);

struct ReadyLine {
  int width = 0, height = 0;
};
struct PassLine {
  std::size_t lane = 0;
  std::int64_t lead_us = 0, on_us = 0;
  std::optional<double> speed_kmh, length_m;
  int length_class = 0;  // 0: unknown
  double confidence = 0.0;
};
struct ToldLine {
  std::int64_t until_us = 0;
  double seen = 1.0;
};
struct ViewLine {
  View view = View::good;
};
struct FaultLine {
  std::string text;
};
using WorkerLine = std::variant<ReadyLine, PassLine, ToldLine, ViewLine, FaultLine>;

std::optional<WorkerLine> parse_worker_line(std::string_view line);
// With its newline.
std::string line_text(const WorkerLine& line);

}  // namespace berm::drivers::camera_counter
