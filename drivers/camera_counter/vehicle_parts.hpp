// SPDX-License-Identifier: Apache-2.0
// VehiclePart: what may be a vehicle, or a piece of one, on a line. `parts_of` makes them from a
// silhouette (cut at necks, and where it is too long for one vehicle), `PartPool` puts the pieces
// of one vehicle together again and says which are vehicles. The usual width and length of a
// vehicle at the line are learned from the parts themselves. Pure; one thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "drivers/camera_counter/silhouette.hpp"

namespace berm::drivers::camera_counter {

struct VehiclePart {
  double begin = 0.0, end = 0.0;     // rows of the history
  double column = 0.0;               // its middle, in the middle of its time
  double extent = 0.0;               // samples across, all of it
  double width = 0.0, length = 0.0;  // samples
  double area = 0.0;                 // samples²
  double speed = 0.0;                // samples per picture
  double drift = 0.0;                // samples along the line per picture
  double correlation = 0.0, flash = 0.0;
  double low_ratio = 0.0, high_ratio = 0.0, ratio_spread = 0.0;
  std::int64_t blob = 0;  // parts of one blob that were cut apart stay so
  int sign = 1;

  double middle() const { return 0.5 * (begin + end); }
};

// The usual vehicle of a line; medians of the last kKeptShapes.
class UsualSize {
 public:
  void add_blob(double width) { keep(blobs_, width); }
  void add_part(double width, double length);
  void settle();
  bool is_known() const { return !widths_.empty(); }
  double blob_width() const { return blob_width_; }
  double width() const { return width_; }
  double length() const { return length_; }

 private:
  struct Kept {
    std::vector<double> values;
    std::size_t next = 0;
    bool empty() const { return values.empty(); }
  };
  static void keep(Kept& kept, double value);
  Kept blobs_, widths_, lengths_;
  double blob_width_ = 15.0, width_ = 15.0, length_ = 20.0;
};

// A part of a silhouette before it is known whether it is too long.
struct RoughPart {
  std::vector<std::uint8_t> cells;  // of the silhouette's grid
  int first = 0, last = 0;          // rows of the grid, [first, last)
  double width = 0.0;
  double area = 0.0;
  bool is_one_of_many = false;
};

std::vector<RoughPart> rough_parts(const Silhouette& shape, double usual_width);
// Appends the part, or the two or more it is cut into.
void add_parts(const Silhouette& shape, const RoughPart& rough, const Motion& motion,
               std::int64_t blob, const UsualSize& usual, std::vector<VehiclePart>& out);

enum class Verdict { vehicle, small, thin, cut, flash, shadow };

// Parts of one line that wait for each other.
class PartPool {
 public:
  void add(VehiclePart part);
  // Puts pieces together, then takes out what ended before `settled` (rows), with its verdict.
  // Parts nearer than kCutRows to `start` or `end` are cut; `end` is infinite while there is more.
  struct Judged {
    VehiclePart part;
    Verdict verdict = Verdict::vehicle;
  };
  std::vector<Judged> take(double settled, double start, double end, const UsualSize& usual,
                           bool is_brightness_trusted);
  std::size_t size() const { return parts_.size(); }

 private:
  void merge(const UsualSize& usual);
  bool is_shadow(const VehiclePart& part, double usual_width) const;
  std::vector<VehiclePart> parts_;
  std::vector<VehiclePart> recent_;  // judged, but still neighbours
};

}  // namespace berm::drivers::camera_counter
