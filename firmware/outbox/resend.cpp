// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/resend.hpp"

#include <algorithm>

#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/limits.hpp"

namespace berm::outbox {

Result<SeriesIndex> Resend::series_of(const ResendRequest& request) const {
  const Books& books = core_.books;
  const std::string& epoch =
      request.epoch.empty() ? books.epochs[books.epoch].epoch : request.epoch;
  const auto found = books.find(epoch, request.stream);
  if (found) return *found;
  return fail(ErrorCode::not_found, "nothing of " + epoch + "/" + request.stream + " is here");
}

Result<RangeSet> Resend::kept(const Series& series, const RangeSet& wanted) {
  RangeSet kept;
  std::size_t rows = 0;
  for (const Range& range : wanted.ranges()) {
    std::int64_t seq = range.first;
    while (seq <= range.last && seq < series.next_seq) {
      if (++rows > kMaxResendRows) {
        return fail(ErrorCode::invalid, "too much at once: ask for shorter ranges");
      }
      BERM_TRY(const auto row, core_.tables.seek_segment(series.id, seq));
      if (!row || row->first_seq > range.last) break;
      kept.add(Range{std::max(seq, row->first_seq), std::min(range.last, row->last_seq)});
      if (row->last_seq == kOpenEnd) break;
      seq = row->last_seq + 1;
    }
  }
  return kept;
}

ResendReport::Uplink Resend::add(UplinkIndex uplink, SeriesIndex series, const RangeSet& kept) {
  Track& track = core_.books.tracks[uplink][series];
  RangeSet fresh;
  fresh.add(kept);
  fresh.subtract(track.undelivered);
  track.undelivered.add(fresh);
  track.resend.add(fresh);
  track.is_dirty = true;
  const std::int64_t queued = fresh.count_below(kOpenEnd);
  return {core_.options.uplinks[uplink].name, queued, kept.count_below(kOpenEnd) - queued};
}

Result<ResendReport> Resend::queue(const ResendRequest& request) {
  auto wanted = RangeSet::parse(request.ranges);
  if (!wanted || wanted->is_empty()) {
    return fail(ErrorCode::invalid, "\"" + request.ranges + "\" are no ranges: 12-15 20-20");
  }
  BERM_TRY(const SeriesIndex index, series_of(request));
  const Series& series = core_.books.series[index];
  BERM_TRY(const RangeSet here, kept(series, *wanted));
  RangeSet gone;
  gone.add(*wanted);
  gone.subtract(here);
  ResendReport report{.epoch = core_.books.epochs[series.epoch].epoch, .gone = gone.to_text()};
  for (UplinkIndex uplink = 0; uplink < core_.options.uplinks.size(); ++uplink) {
    const bool is_meant =
        request.uplink.empty() || core_.options.uplinks[uplink].name == request.uplink;
    if (!is_meant || !core_.books.tracks[uplink][index].is_wanted) continue;
    report.uplinks.push_back(add(uplink, index, here));
  }
  if (report.uplinks.empty()) {
    const std::string who = request.uplink.empty() ? "no uplink" : "no uplink " + request.uplink;
    return fail(ErrorCode::not_found, who + " takes " + request.stream);
  }
  BERM_CHECK(Commit(core_).write_delivery_state());
  return report;
}

}  // namespace berm::outbox
