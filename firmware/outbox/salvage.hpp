// SPDX-License-Identifier: Apache-2.0
// Salvage: brings what can still be read of databases set aside (`Wreck`) into the present one,
// under its old epochs, in small steps between the commits [outbox-6]. Segments are copied as they
// are (same sequence, same time, same bytes), in order of sequence, each series up to its end, then
// the next; their place in the order of commit is before everything of today. What every uplink
// that wants it has had is not copied. A number that is neither copied nor known to be delivered
// goes into a gap record with cause `damaged`, in the same transaction; where the end of a series
// is not known, the last of them is open ("57-"). Everything it has done stands in the database
// (`SalvageState`), so a restart goes on, and nothing is told twice.
// A step reads at most kSalvageRows rows or kSalvageBytes; memory is that and the Wreck's.
// Inside an open transaction unless said otherwise. Executor thread only. Lifetime: as the core's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "firmware/outbox/core.hpp"
#include "firmware/outbox/opening.hpp"
#include "firmware/outbox/salvage_state.hpp"
#include "firmware/outbox/wreck.hpp"
#include "hal/disk.hpp"

namespace berm::outbox {

struct SalvageProgress {
  bool is_active = false;
  std::string name;         // of the copy in hand
  int percent = 0;          // of its numbers
  std::int64_t events = 0;  // copied since this process began
};

class Salvage {
 public:
  Salvage(Core core, hal::Disk& disk, SalvageState state)
      : core_(core), disk_(disk), state_(std::move(state)) {}

  // Takes the names of what the copies held into the books, each with its series, before the
  // present epoch begins. State over: none of them can be read. `sidecar`: of the newest copy.
  static Result<SalvageState> adopt(Core core, hal::Disk& disk, const UnknownSchema& unknown_schema,
                                    const std::vector<std::int64_t>& copies,
                                    const Sidecar& sidecar);
  // After an error this is of no use any more: make another from what the database says.
  Result<void> step();
  // No transaction needed.
  bool is_over() const { return state_.is_over(); }
  SalvageProgress progress() const;
  // The copies finished since the last call, to be renamed once the step is committed.
  std::vector<std::int64_t> take_finished() { return std::exchange(finished_, {}); }

 private:
  Result<bool> read_first(const SalvageState::Copy& copy, std::size_t& rows, std::size_t& bytes);
  Result<bool> read_series(std::int64_t there, SeriesIndex here, std::size_t& rows,
                           std::size_t& bytes);
  void begin_series(std::int64_t there, SeriesIndex here);
  Result<void> take_in(const WholeSegment& segment, SeriesIndex here);
  Result<bool> translate(SegmentRow& row);
  Result<std::int64_t> boot_here(const std::string& name);
  Result<std::optional<std::int64_t>> anchor_here(std::int64_t there);
  bool is_sound(const WholeSegment& segment, const Series& series) const;
  bool is_wanted(SeriesIndex here, Range range) const;
  void lose(SeriesIndex here, Range range);
  void end_series(std::int64_t there, SeriesIndex here);
  Result<void> close_rest();
  Result<void> record(SeriesIndex here);
  std::optional<SeriesIndex> find(std::int64_t series_id) const;
  std::int64_t next_in_wreck(std::int64_t there) const;

  Core core_;
  hal::Disk& disk_;
  SalvageState state_;
  std::unique_ptr<Wreck> wreck_;
  std::optional<std::int64_t> reading_;  // the series there that is begun
  std::int64_t seek_from_ = 0;           // within it
  bool is_tail_unknown_ = false;         // nothing was read since a place that cannot be read
  RangeSet lost_;                        // of this step and series
  std::optional<std::pair<std::int64_t, std::int64_t>> anchor_;  // there, here: the last one
  std::vector<std::int64_t> finished_;
  std::int64_t events_ = 0;
};

}  // namespace berm::outbox
