// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/export.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "firmware/outbox/anchors.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/opening.hpp"
#include "firmware/outbox/reader.hpp"
#include "firmware/outbox/wreck.hpp"
#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

bool is_wanted(const ExportFilter& filter, std::string_view stream) {
  return filter.stream.empty() || matches_glob(stream, filter.stream);
}

// A period is made after it began: what was made before cannot have begun since.
bool is_before(const ExportFilter& filter, const SegmentRow& row) {
  return filter.since_s && row.made_s && *row.made_s < *filter.since_s;
}

// The lines of one segment, from `from` on, that are wanted. Error damaged: it does not read back.
struct Lines {
  const Books& books;
  const ExportFilter& filter;
  SegmentCodec& codec;

  Result<std::int64_t> write(const Series& series, const WholeSegment& segment, std::int64_t from,
                             const std::optional<Anchor>& anchor, std::string& out) const {
    const SegmentRow& row = segment.row;
    BERM_TRY(const OpenedSegment opened,
             codec.open(static_cast<Codec>(row.codec), static_cast<std::size_t>(row.raw_bytes),
                        static_cast<std::size_t>(row.count), segment.body));
    std::int64_t written = 0;
    for (std::int64_t seq = std::max(from, row.first_seq); seq <= row.last_seq; ++seq) {
      const Record& record = opened.records()[static_cast<std::size_t>(seq - row.first_seq)];
      const event::Event event =
          compose(books, series, row, record, timing_of(record, anchor), seq);
      if (filter.since_s && event.time_s < *filter.since_s) continue;
      out += event.line;
      out += '\n';
      ++written;
    }
    return written;
  }
};

}  // namespace

Result<ExportPart> export_part(Core core, const ExportFilter& filter, ExportPlace place) {
  ExportPart part{.next = place};
  const Lines lines{core.books, filter, core.codec};
  std::size_t rows = 0;
  const auto is_full = [&] { return part.lines.size() >= kExportBytes || rows >= kExportRows; };
  for (const Series& series : core.books.series) {
    if (series.id < part.next.series || !is_wanted(filter, series.schema->name)) continue;
    if (series.id > part.next.series) {
      part.next.series = series.id;
      part.next.seq = 1;
    }
    while (!is_full()) {
      ++rows;
      BERM_TRY(const auto segment, core.tables.seek_whole_segment(series.id, part.next.seq));
      if (!segment) break;
      const std::int64_t from = part.next.seq;
      part.next.seq = segment->row.last_seq + 1;
      if (is_before(filter, segment->row)) continue;
      if (!segment->row.anchor) {
        part.next.unsettled += segment->row.count;
        continue;
      }
      BERM_TRY(const auto anchor, Anchors(core).find(*segment->row.anchor));
      const auto written = lines.write(series, *segment, from, anchor, part.lines);
      if (!written) ++part.next.unreadable;
    }
    if (is_full()) return part;
  }
  part.is_last = true;
  return part;
}

namespace {

// One database that nobody holds.
class WreckExport {
 public:
  WreckExport(Wreck& wreck, const ExportFilter& filter, ExportSummary& summary)
      : wreck_(wreck), filter_(filter), summary_(summary) {}

  // `done`: per epoch and stream, what was written already. False: enough.
  bool run(std::map<std::string, RangeSet>& done, const ExportLines& lines) {
    for (const WreckedSeries& wrecked : wreck_.series()) {
      if (!is_wanted(filter_, wrecked.stream)) continue;
      if (!run_series(wrecked, done[wrecked.epoch + "/" + wrecked.stream], lines)) return false;
    }
    return true;
  }

 private:
  const event::StreamSchema* schema_of(const std::string& stream) {
    if (const auto* known = event::find_schema(stream)) return known;
    auto& made = unknown_.emplace_back(stream, event::StreamSchema());
    made.second.name = made.first;
    return &made.second;
  }

  bool run_series(const WreckedSeries& wrecked, RangeSet& done, const ExportLines& lines) {
    Books books;
    books.epochs.push_back({1, wrecked.epoch, wrecked.node});
    const Series series{.id = wrecked.id, .schema = schema_of(wrecked.stream)};
    std::int64_t seq = 1;
    std::string out;
    while (true) {
      const auto segment = wreck_.seek(wrecked.id, seq);
      if (!segment) {
        ++summary_.unreadable;
        const auto next = wreck_.readable_from(wrecked.id, seq);
        if (!next) break;
        seq = *next;
        continue;
      }
      if (!*segment) break;
      const SegmentRow& row = (*segment)->row;
      seq = row.last_seq + 1;
      write(books, series, **segment, done, out);
      if (out.size() >= kExportBytes && !lines(std::exchange(out, {}))) return false;
    }
    return out.empty() || lines(out);
  }

  void write(const Books& books, const Series& series, const WholeSegment& segment, RangeSet& done,
             std::string& out) {
    const SegmentRow& row = segment.row;
    if (is_before(filter_, row) || done.contains(row.first_seq)) return;
    std::optional<Anchor> anchor;
    if (row.anchor.value_or(0) != 0) {
      const auto found = wreck_.anchor(*row.anchor);
      if (found) anchor = found->anchor;
    }
    const bool is_settled = row.anchor && (*row.anchor == 0 || anchor);
    if (!is_settled) {
      summary_.unsettled += row.count;
      return;
    }
    const auto written = Lines{books, filter_, codec_}.write(series, segment, 1, anchor, out);
    if (!written) {
      ++summary_.unreadable;
      return;
    }
    summary_.events += *written;
    done.add(Range{row.first_seq, row.last_seq});
  }

  Wreck& wreck_;
  const ExportFilter& filter_;
  ExportSummary& summary_;
  SegmentCodec codec_;
  std::deque<std::pair<std::string, event::StreamSchema>> unknown_;
};

// The database, then those set aside, the newest first.
std::vector<std::string> databases_in(hal::Disk& disk, const std::string& directory) {
  std::vector<std::string> paths;
  if (disk.exists(database_path(directory))) paths.push_back(database_path(directory));
  std::vector<std::string> names;
  if (const auto listed = disk.list(directory)) names = *listed;
  std::ranges::sort(names, std::greater());
  for (const std::string& name : names) {
    const bool is_aside =
        name.starts_with("outbox.db.damaged-") || name.starts_with("outbox.db.salvaged-");
    const std::size_t dash = name.find('-');
    if (is_aside && parse_integer(name.substr(dash + 1))) paths.push_back(directory + "/" + name);
  }
  return paths;
}

// Reading a database makes an empty log beside it where there was none.
void remove_new_log(hal::Disk& disk, const std::string& path, bool had_log) {
  const auto log = had_log ? Result<std::string>() : disk.read(path + "-wal", 1);
  if (had_log || !log || !log->empty()) return;
  if (!disk.remove(path + "-wal")) return;  // it does no harm
}

}  // namespace

Result<ExportSummary> export_outbox(hal::Disk& disk, const std::string& directory,
                                    const ExportFilter& filter, const ExportLines& lines) {
  const auto paths = databases_in(disk, directory);
  if (paths.empty()) return fail(ErrorCode::not_found, directory + " has no outbox in it");
  ExportSummary summary;
  // So that no agent begins meanwhile. On a medium that cannot be written there is none.
  const auto lock = disk.lock(directory + "/outbox.lock");
  if (!lock && lock.error().code == ErrorCode::exists) return fail(lock.error());
  if (!lock) summary.notes.push_back("read without its log: " + lock.error().text);
  const Sidecar sidecar = read_sidecar(disk, directory);
  std::map<std::string, RangeSet> done;
  std::size_t opened = 0;
  for (const std::string& path : paths) {
    const bool had_log = disk.exists(path + "-wal");
    bool goes_on = true;
    {
      const auto wreck = Wreck::open(disk, path, sidecar);
      if (wreck) {
        ++opened;
        goes_on = WreckExport(**wreck, filter, summary).run(done, lines);
      } else {
        summary.notes.push_back(path + ": " + wreck.error().text);
      }
    }
    remove_new_log(disk, path, had_log);
    if (!goes_on) return summary;
  }
  if (opened == 0) return fail(ErrorCode::damaged, summary.notes.back());
  return summary;
}

}  // namespace berm::outbox
