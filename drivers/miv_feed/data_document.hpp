// SPDX-License-Identifier: Apache-2.0
// DataDocument: reads `verkeersdata` in pieces and gives each `meetpunt` when it ends. Pure: what
// the feed says, as it says it; lane_minute.hpp judges it.
//
// Promises: memory does not grow with the document. Elements may come in any order and any may be
// missing; unknown ones are skipped. A point without a readable `unieke_id` or `tijd_waarneming` is
// counted, never given. Times are read with their offsets. Points nobody wants cost only the
// tokens. Thread: any one. Lifetime: one document; reader > document. Fails: as XmlReader, and
// `invalid` where the root is not <miv>.
// Source: miv-verkeersdata.xsd (AWV / Vlaams Verkeerscentrum), README.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/api/observation.hpp"
#include "drivers/miv_feed/limits.hpp"
#include "hal/base/xml.hpp"

namespace berm::drivers::miv_feed {

struct MeasuredClass {
  std::optional<std::int64_t> count, arithmetic, harmonic;
};

struct MeasuredPoint {
  std::int64_t uid = 0;
  WallTime observed{};  // begin of the minute
  std::array<MeasuredClass, kClasses> classes;
  std::optional<std::int64_t> available, defect, valid;         // beschikbaar, defect, geldig
  std::optional<std::int64_t> occupancy, availability, unrest;  // rekendata
};

struct DocumentTimes {
  std::optional<WallTime> published;   // tijd_publicatie
  std::optional<WallTime> configured;  // tijd_laatste_config_wijziging
};

struct DataCounts {
  std::uint64_t points = 0;      // given
  std::uint64_t unwanted = 0;    // whole, but nobody asked for them
  std::uint64_t missing_id = 0;  // no `unieke_id`, or none that is a number
  std::uint64_t bad_time = 0;    // no `tijd_waarneming`, or none that can be read
  std::uint64_t odd_values = 0;  // a number that is none, a class beyond 1…5
  std::uint64_t cut = 0;         // points the document ended in the middle of
};

class DataReader {
 public:
  virtual ~DataReader() = default;
  virtual bool wants(std::int64_t uid) const = 0;
  virtual void on_point(const DocumentTimes& times, const MeasuredPoint& point) = 0;
};

class DataDocument final : private XmlHandler {
 public:
  explicit DataDocument(DataReader& reader);
  Result<void> feed(std::string_view piece) { return xml_.feed(piece); }
  Result<void> finish();
  const DocumentTimes& times() const { return times_; }
  const DataCounts& counts() const { return counts_; }
  std::size_t bytes() const { return xml_.bytes(); }

 private:
  enum class Element : std::uint8_t;
  struct Known;
  static const Known kKnown[];

  std::string_view start(std::string_view name, std::span<const XmlAttribute> attributes) override;
  std::string_view text(std::string_view text) override;
  std::string_view end(std::string_view name) override;
  std::string_view begin_root(std::string_view name);
  Element element_of(std::string_view name) const;
  void begin_point(std::span<const XmlAttribute> attributes);
  void begin_class(std::span<const XmlAttribute> attributes);
  void end_point();
  std::optional<std::int64_t>* target();
  std::optional<WallTime> time_of(std::string_view text);

  DataReader& reader_;
  DocumentTimes times_;
  DataCounts counts_;
  MeasuredPoint point_;
  int depth_ = 0;
  Element element_;
  bool is_in_point_ = false;
  bool is_skipped_ = false;  // this point: unwanted, or without an id
  bool has_time_ = false;
  MeasuredClass* class_ = nullptr;  // within `meetdata` of a known class
  std::size_t unknown_ = 0;
  std::string refusal_;
  std::string last_time_text_;  // nearly all points carry the same
  std::optional<WallTime> last_time_;
  XmlReader xml_;
};

}  // namespace berm::drivers::miv_feed
