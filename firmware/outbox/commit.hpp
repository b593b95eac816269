// SPDX-License-Identifier: Apache-2.0
// Commit: turns drafts into segments of their series, inside an open transaction. Here an event
// gets its sequence number: what is not committed never had one, so a failed commit leaves no hole
// [outbox-2]. Executor thread only.
#pragma once

#include <map>
#include <span>
#include <string>

#include "firmware/outbox/core.hpp"

namespace berm::outbox {

class Commit {
 public:
  explicit Commit(Core core) : core_(core) {}
  // Segments in order of each stream's first event; within a stream in order of the drafts.
  Result<void> write(std::span<const event::Draft> drafts);
  Result<void> write(const event::Draft& draft) { return write({&draft, 1}); }
  Result<void> write_checkpoints(const std::map<std::string, std::string>& checkpoints);
  // The undelivered ranges that changed.
  Result<void> write_delivery_state();
  // The present epoch's series of that stream, made at its first event.
  Result<SeriesIndex> series_of(const event::StreamSchema& schema);
  // The present boot has its row.
  Result<void> keep_boot();

 private:
  using Drafts = std::vector<const event::Draft*>;
  Result<void> write_stream(const Drafts& drafts);
  Result<void> write_segment(std::span<const event::Draft* const> drafts, SeriesIndex index);
  Core core_;
};

// Adds a series to the books, its tracks included: everything is undelivered to whoever wants the
// stream.
SeriesIndex add_series(Books& books, const OutboxOptions& options, Series series);

}  // namespace berm::outbox
