// SPDX-License-Identifier: Apache-2.0
// Blob: one connected piece of occupied samples in the time-space picture of a line (rows are
// pictures, columns are samples). `extract_blobs` takes those that are over out of the evidence;
// one that still goes on stays, until it is kMaxBlobRows long. Holes are filled, hairs are cut.
// `measure_motion` finds when and where the same pattern crosses the lines ahead and behind, which
// gives direction, speed and slant. Pure; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "drivers/camera_counter/line_evidence.hpp"

namespace berm::drivers::camera_counter {

struct Blob {
  std::int64_t row = 0;  // of the first row
  int column = 0;        // of the first column
  int rows = 0, columns = 0;
  std::vector<std::uint8_t> cells;  // rows × columns
  int area = 0;

  bool has(int r, int c) const {
    return cells[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns) +
                 static_cast<std::size_t>(c)] != 0;
  }
  double middle_row() const { return static_cast<double>(row) + rows / 2.0; }
  double middle_column() const { return column + columns / 2.0; }
};

// Blobs that begin at `from` or later and are over (all, where `is_end`), in no order; `from`
// becomes the first row that is still needed.
std::vector<Blob> extract_blobs(LineEvidence& evidence, std::int64_t& from, bool is_end);

struct Motion {
  double correlation = -1.0;  // −1…1
  double rows = 0.0;          // pictures from the line to the one ahead; negative: moves backward
  int columns = 0;            // samples it moves along the line meanwhile
  double flash = -1.0;        // > 0: rather lit up everywhere at once

  bool is_known() const;
  double speed() const;  // samples per picture, not negative
  int sign() const { return rows < 0.0 ? -1 : 1; }
  double slant() const;  // samples along per sample forward
};

Motion measure_motion(const LineEvidence& evidence, const Blob& blob);

}  // namespace berm::drivers::camera_counter
