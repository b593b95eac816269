// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/blob.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace berm::drivers::camera_counter {
namespace {

constexpr std::uint8_t kOccupied = 1, kVisited = 2;
constexpr std::size_t kMaxPattern = 500;  // cells that are compared

struct Cell {
  std::int64_t row = 0;
  int column = 0;
};

constexpr std::array<std::array<int, 2>, 4> kSides{{{-1, 0}, {1, 0}, {0, -1}, {0, 1}}};

// The occupied cells connected to `start`; they are marked as visited.
std::vector<Cell> flood(LineEvidence& evidence, Cell start, std::int64_t from) {
  std::vector<Cell> cells{start};
  evidence.occupied(start.row)[static_cast<std::size_t>(start.column)] = kVisited;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    for (const auto& side : kSides) {
      const Cell next{cells[i].row + side[0], cells[i].column + side[1]};
      if (next.row < from || next.row >= evidence.end()) continue;
      if (next.column < 0 || next.column >= evidence.samples()) continue;
      std::uint8_t& mark = evidence.occupied(next.row)[static_cast<std::size_t>(next.column)];
      if (mark != kOccupied) continue;
      mark = kVisited;
      cells.push_back(next);
    }
  }
  return cells;
}

Blob blob_of(const std::vector<Cell>& cells) {
  Blob blob;
  Cell low = cells.front();
  Cell high = low;
  for (const Cell& cell : cells) {
    low.row = std::min(low.row, cell.row);
    low.column = std::min(low.column, cell.column);
    high.row = std::max(high.row, cell.row);
    high.column = std::max(high.column, cell.column);
  }
  blob.row = low.row;
  blob.column = low.column;
  blob.rows = static_cast<int>(high.row - low.row) + 1;
  blob.columns = high.column - low.column + 1;
  blob.cells.assign(static_cast<std::size_t>(blob.rows) * static_cast<std::size_t>(blob.columns),
                    0);
  for (const Cell& cell : cells) {
    const auto r = static_cast<std::size_t>(cell.row - low.row);
    const auto c = static_cast<std::size_t>(cell.column - low.column);
    blob.cells[r * static_cast<std::size_t>(blob.columns) + c] = 1;
  }
  blob.area = static_cast<int>(cells.size());
  return blob;
}

// What cannot be reached from outside the box is within.
void fill_holes(Blob& blob) {
  const int rows = blob.rows + 2;
  const int columns = blob.columns + 2;
  std::vector<std::uint8_t> outside(static_cast<std::size_t>(rows * columns), 0);
  std::vector<int> waiting{0};
  outside[0] = 1;
  while (!waiting.empty()) {
    const int at = waiting.back();
    waiting.pop_back();
    for (const auto& side : kSides) {
      const int r = at / columns + side[0];
      const int c = at % columns + side[1];
      if (r < 0 || c < 0 || r >= rows || c >= columns) continue;
      std::uint8_t& mark = outside[static_cast<std::size_t>(r * columns + c)];
      const bool is_within = r > 0 && c > 0 && r <= blob.rows && c <= blob.columns;
      if (mark != 0 || (is_within && blob.has(r - 1, c - 1))) continue;
      mark = 1;
      waiting.push_back(r * columns + c);
    }
  }
  for (int r = 0; r < blob.rows; ++r) {
    for (int c = 0; c < blob.columns; ++c) {
      if (outside[static_cast<std::size_t>((r + 1) * columns + c + 1)] != 0) continue;
      blob.cells[static_cast<std::size_t>(r * blob.columns + c)] = 1;
    }
  }
}

// Keeps only what is at least 2 rows and 3 columns thick.
void cut_hairs(Blob& blob) {
  std::vector<std::uint8_t> kept(blob.cells.size(), 0);
  for (int r = 0; r + 1 < blob.rows; ++r) {
    for (int c = 0; c + 2 < blob.columns; ++c) {
      bool is_full = true;
      for (int k = 0; k < 6 && is_full; ++k) is_full = blob.has(r + k / 3, c + k % 3);
      for (int k = 0; k < 6 && is_full; ++k) {
        kept[static_cast<std::size_t>((r + k / 3) * blob.columns + c + k % 3)] = 1;
      }
    }
  }
  blob.cells = std::move(kept);
}

// The connected parts of a blob that are large enough to be anything.
void add_parts(Blob& blob, std::vector<Blob>& out) {
  const auto width = static_cast<std::size_t>(blob.columns);
  std::vector<Cell> cells;
  for (std::size_t start = 0; start < blob.cells.size(); ++start) {
    if (blob.cells[start] != kOccupied) continue;
    cells.assign(1, {static_cast<std::int64_t>(start / width), static_cast<int>(start % width)});
    blob.cells[start] = kVisited;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      for (const auto& side : kSides) {
        const std::int64_t r = cells[i].row + side[0];
        const int c = cells[i].column + side[1];
        if (r < 0 || c < 0 || r >= blob.rows || c >= blob.columns) continue;
        std::uint8_t& mark =
            blob.cells[static_cast<std::size_t>(r) * width + static_cast<std::size_t>(c)];
        if (mark != kOccupied) continue;
        mark = kVisited;
        cells.push_back({r, c});
      }
    }
    if (cells.size() < static_cast<std::size_t>(kMinBlobCells)) continue;
    Blob part = blob_of(cells);
    part.row += blob.row;
    part.column += blob.column;
    out.push_back(std::move(part));
  }
}

struct PatternCell {
  std::int64_t row;
  int column;
  float step;
};

std::vector<PatternCell> pattern_of(const LineEvidence& evidence, const Blob& blob) {
  std::vector<PatternCell> pattern;
  const std::size_t stride = static_cast<std::size_t>(blob.area) / kMaxPattern + 1;
  std::size_t count = 0;
  for (int r = 0; r < blob.rows; ++r) {
    const std::span<const float> steps = evidence.step_on(blob.row + r);
    for (int c = 0; c < blob.columns; ++c) {
      if (!blob.has(r, c) || count++ % stride != 0) continue;
      pattern.push_back(
          {blob.row + r, blob.column + c, steps[static_cast<std::size_t>(blob.column + c)]});
    }
  }
  return pattern;
}

constexpr double kNone = -9.0;

// How well the pattern fits a line's changes, `rows` later and `columns` to the right.
double fit(const LineEvidence& evidence, bool is_ahead, const std::vector<PatternCell>& pattern,
           int rows, int columns) {
  double product = 0.0, energy = 0.0, own = 0.0;
  std::size_t count = 0;
  std::int64_t row = -1;
  std::span<const float> steps;
  for (const PatternCell& cell : pattern) {
    const std::int64_t at = cell.row + rows;
    const int column = cell.column + columns;
    if (at < evidence.begin() || at >= evidence.end()) continue;
    if (column < 0 || column >= evidence.samples()) continue;
    if (at != row) {
      row = at;
      steps = is_ahead ? evidence.step_ahead(row) : evidence.step_behind(row);
    }
    const double other = static_cast<double>(steps[static_cast<std::size_t>(column)]);
    const double step = static_cast<double>(cell.step);
    product += other * step;
    energy += other * other;
    own += step * step;
    ++count;
  }
  if (5 * count < 3 * pattern.size()) return kNone;
  return product / std::sqrt(energy * own + 1e-9);
}

double fit_both(const LineEvidence& evidence, const std::vector<PatternCell>& pattern, int rows,
                int columns) {
  const double ahead = fit(evidence, true, pattern, rows, columns);
  const double behind = fit(evidence, false, pattern, -rows, -columns);
  if (ahead == kNone && behind == kNone) return kNone;
  const double mean = ahead == kNone ? behind : behind == kNone ? ahead : 0.5 * (ahead + behind);
  return mean - 0.002 * std::abs(rows);
}

}  // namespace

std::vector<Blob> extract_blobs(LineEvidence& evidence, std::int64_t& from, bool is_end) {
  std::vector<Blob> blobs;
  std::vector<std::vector<Cell>> open;
  std::int64_t needed = evidence.end();
  from = std::max(from, evidence.begin());
  for (std::int64_t row = from; row < evidence.end(); ++row) {
    for (int column = 0; column < evidence.samples(); ++column) {
      if (evidence.occupied(row)[static_cast<std::size_t>(column)] != kOccupied) continue;
      std::vector<Cell> cells = flood(evidence, {row, column}, from);
      std::int64_t last = row;
      for (const Cell& cell : cells) last = std::max(last, cell.row);
      if (!is_end && last + 1 >= evidence.end() && last - row < kMaxBlobRows) {
        needed = std::min(needed, row);
        open.push_back(std::move(cells));
        continue;
      }
      Blob blob = blob_of(cells);
      for (const Cell& cell : cells) {
        evidence.occupied(cell.row)[static_cast<std::size_t>(cell.column)] = 0;
      }
      if (static_cast<int>(cells.size()) < kMinBlobCells) continue;
      fill_holes(blob);
      cut_hairs(blob);
      add_parts(blob, blobs);
    }
  }
  for (const std::vector<Cell>& cells : open) {
    for (const Cell& cell : cells) {
      evidence.occupied(cell.row)[static_cast<std::size_t>(cell.column)] = kOccupied;
    }
  }
  from = needed;
  return blobs;
}

bool Motion::is_known() const {
  return correlation > kMinCorrelation;
}
double Motion::speed() const {
  return rows == 0.0 ? 0.0 : kOffset / std::abs(rows);
}
double Motion::slant() const {
  return sign() * static_cast<double>(columns) / kOffset;
}

Motion measure_motion(const LineEvidence& evidence, const Blob& blob) {
  const std::vector<PatternCell> pattern = pattern_of(evidence, blob);
  const int reach = std::min(kMaxShift, std::max(6, blob.rows));
  constexpr int kColumns = 2 * kOffset;
  Motion best;
  best.correlation = kNone;
  double still = kNone;
  const auto consider = [&](int rows, int columns) {
    const double value = fit_both(evidence, pattern, rows, columns);
    if (rows == 0) {
      still = std::max(still, value);
    } else if (value > best.correlation) {
      best.correlation = value;
      best.rows = rows;
      best.columns = columns;
    }
  };
  for (int rows = -reach; rows <= reach; ++rows) {
    for (int columns = -kColumns; columns <= kColumns; columns += 2) consider(rows, columns);
  }
  const auto coarse = static_cast<int>(best.rows);
  const int middle = best.columns;
  for (int rows = coarse - 1; rows <= coarse + 1; ++rows) {
    for (const int columns : {middle - 1, middle + 1}) consider(rows, columns);
  }
  best.flash = still - best.correlation;
  const auto rows = static_cast<int>(best.rows);
  if (rows == 0) return best;
  const double before = fit_both(evidence, pattern, rows - 1, best.columns);
  const double after = fit_both(evidence, pattern, rows + 1, best.columns);
  const double bend = before - 2.0 * best.correlation + after;
  if (std::abs(rows) > 1 && before != kNone && after != kNone && bend < -1e-6) {
    best.rows += std::clamp(0.5 * (before - after) / bend, -0.5, 0.5);
  }
  return best;
}

}  // namespace berm::drivers::camera_counter
