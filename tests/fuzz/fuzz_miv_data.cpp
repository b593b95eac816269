// SPDX-License-Identifier: Apache-2.0
// Any bytes as the minute's data and as the list of points, cut anywhere: what comes out is within
// the schema; no speed without a vehicle, no total with a hole, no minute twice.
#include <cstdint>
#include <set>
#include <string>

#include "drivers/miv_feed/data_document.hpp"
#include "drivers/miv_feed/feed_memory.hpp"
#include "drivers/miv_feed/lane_minute.hpp"
#include "drivers/miv_feed/point_table.hpp"
#include "hal/base/assert.hpp"

namespace {

using namespace berm::drivers;            // NOLINT(google-build-using-namespace)
using namespace berm::drivers::miv_feed;  // NOLINT(google-build-using-namespace)

void judge(const LanePeriod& period) {
  std::int64_t total = 0;
  for (const ClassMeasure& one : period.classes) {
    const std::int64_t count = one.count.value_or(0);
    total += count;
    BERM_ASSERT(count >= 0 && count <= kMaxCount);
    const bool has_speed = one.speed_harmonic_kmh.has_value();
    BERM_ASSERT(one.speed_count == (has_speed ? count : 0) && (has_speed || !one.speed_kmh));
    if (!has_speed) continue;
    BERM_ASSERT(count > 0 && *one.speed_harmonic_kmh > 0.0 && *one.speed_harmonic_kmh <= 200.0);
  }
  BERM_ASSERT(!period.count || *period.count == total);
  BERM_ASSERT(period.count || period.flags.find("incomplete") != std::string::npos);
  BERM_ASSERT(period.uid >= 0 && period.occupancy_percent.value_or(0.0) <= 100.0);
  BERM_ASSERT(period.coverage.value_or(0.0) <= 1.0);
}

class Reader final : public DataReader {
 public:
  bool wants(std::int64_t uid) const override { return uid % 7 != 6; }
  void on_point(const DocumentTimes& times, const MeasuredPoint& point) override {
    const std::int64_t time_s = berm::s_of(point.observed);
    const bool is_new = seen.emplace(point.uid, time_s).second;
    const Seen answer = memory.take(point.uid, time_s);
    BERM_ASSERT(!is_new || answer == Seen::fresh);
    judge(lane_minute(times, point, table.find(point.uid), true, false, berm::mono_us(1)).period);
  }
  PointTable table;
  FeedMemory memory;
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
};

template <class Document>
bool read(Document& document, std::string_view text, std::size_t piece) {
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (!document.feed(text.substr(at, piece))) return false;
  }
  return document.finish().has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  const std::size_t piece = bytes[0] + 1U;
  Reader reader;
  PointsDocument list;
  const bool is_whole = read(list, text, piece);
  static_cast<void>(reader.table.take(list.take_points(), is_whole));
  for (const std::int64_t uid : reader.table.uids()) {
    static_cast<void>(point_row(*reader.table.find(uid), {}));
  }
  DataDocument document(reader);
  static_cast<void>(read(document, text, piece));
  FeedMemory again;
  BERM_ASSERT(again.restore(reader.memory.save(kMaxCheckpointBytes)));
  BERM_ASSERT(again.size() == reader.memory.size());
  FeedMemory garbage;
  static_cast<void>(garbage.restore(text));
  return 0;
}
