// SPDX-License-Identifier: Apache-2.0
// PointsDocument: reads `configuratie/xml`, the list of measuring points, in pieces. Pure.
//
// Promises: numbers with a decimal comma (or point) are read; what is empty, no number or outside
// its range stays empty (and is counted where it was not empty). At most kMaxPoints points. Thread:
// any one. Lifetime: one document. Fails: as XmlReader, and `invalid` where the root is not
// <mivconfig>.
// Source: miv-config.xsd (AWV / Vlaams Verkeerscentrum), README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/miv_feed/limits.hpp"
#include "hal/base/time.hpp"
#include "hal/base/xml.hpp"

namespace berm::drivers::miv_feed {

struct Point {
  std::int64_t uid = 0;
  std::string name;                // volledige_naam; empty: unknown, as the two below
  std::string road;                // Ident_8
  std::string lane;                // Rijstrook
  std::optional<double> km;        // Kmp_Rsys
  std::optional<double> x, y;      // Lambert 72 (EPSG 31370), m
  std::optional<double> lat, lon;  // WGS 84, degrees
  bool operator==(const Point&) const = default;
  // Traffic of a TR lane is measured by the loops of the R lane of its number: never sum the two.
  bool is_ghost() const { return lane.starts_with("TR"); }
};

struct PointsCounts {
  std::uint64_t missing_id = 0;
  std::uint64_t odd_values = 0;
  std::uint64_t too_many = 0;
  std::uint64_t cut = 0;
};

class PointsDocument final : private XmlHandler {
 public:
  PointsDocument();
  Result<void> feed(std::string_view piece) { return xml_.feed(piece); }
  Result<void> finish();
  // Those that were whole, in the order of the document; an id may be there twice.
  std::vector<Point> take_points() { return std::move(points_); }
  bool has_points() const { return !points_.empty(); }
  std::optional<WallTime> configured() const { return configured_; }
  const PointsCounts& counts() const { return counts_; }
  std::size_t bytes() const { return xml_.bytes(); }

 private:
  std::string_view start(std::string_view name, std::span<const XmlAttribute> attributes) override;
  std::string_view text(std::string_view text) override;
  std::string_view end(std::string_view name) override;
  std::string_view begin_root(std::string_view name);
  void begin_point(std::span<const XmlAttribute> attributes);
  void end_point();
  void set_field(std::string_view value);
  void set_text(std::string& field, std::string_view value, std::size_t max_bytes);
  std::optional<double> number_of(std::string_view value, double min, double max);

  std::vector<Point> points_;
  Point point_;
  std::optional<WallTime> configured_;
  PointsCounts counts_;
  int depth_ = 0;
  bool has_id_ = false;
  bool is_in_point_ = false;
  std::string element_;  // at depth 2 or 3
  std::size_t unknown_ = 0;
  std::string refusal_;
  XmlReader xml_;
};

}  // namespace berm::drivers::miv_feed
