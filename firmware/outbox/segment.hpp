// SPDX-License-Identifier: Apache-2.0
// The body of a segment: the events one commit brings to one stream, packed into one row.
// Everything an event's line is made of except its identity and, where it is not settled yet, its
// wall time. Body, per event: a byte of flags; zigzag varints of mono (difference to the event
// before), wall − mono (difference to that of the event before), made − mono, made_wall −
// made_mono, vehicles; source, key (left out where the same as before), of a merged period what
// rounding took away from it, and tail, each with its length. Where the tails can be turned
// (columns.hpp), they stand as columns behind all the rest. Limits: kMaxSegmentEvents,
// kMaxBodyBytes expanded, of tails too. open refuses anything that does not add up as Error
// damaged, and never reads beyond what it was given. A codec is one thread's at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/event/event.hpp"
#include "firmware/outbox/columns.hpp"
#include "hal/base/result.hpp"
#include "hal/base/time.hpp"

namespace berm::outbox {

// One event of a decoded segment; the views are into the segment's bytes.
struct Record {
  std::int64_t mono_us = 0;
  std::optional<std::int64_t> wall_us;
  ClockSource clock = ClockSource::none;
  std::int64_t made_mono_us = 0;
  std::optional<std::int64_t> made_wall_us;
  std::optional<std::int64_t> vehicles;
  std::string_view source;
  std::string_view key;
  std::string_view tail;
  std::string_view rest;  // event::PeriodSum::rest; of a merged period
};

Record record_of(const event::Draft& draft);

// The records of an expanded body of events one by one; the views are into it.
Result<std::vector<Record>> read_records(std::string_view bytes, std::size_t count);

enum class Codec : int { plain = 1, zstd = 2, plain_columns = 3, zstd_columns = 4 };

struct Packed {
  Codec codec = Codec::plain;
  std::size_t raw_bytes = 0;
  std::string body;
};

// A segment opened for reading. Movable: the views stay good.
class OpenedSegment {
 public:
  const std::vector<Record>& records() const { return records_; }

 private:
  friend class SegmentCodec;
  std::unique_ptr<char[]> bytes_;
  Tails tails_;
  std::vector<Record> records_;
};

class SegmentCodec {
 public:
  SegmentCodec();
  ~SegmentCodec();
  SegmentCodec(const SegmentCodec&) = delete;
  SegmentCodec& operator=(const SegmentCodec&) = delete;

  // Precondition: 1…kMaxSegmentEvents records.
  Packed pack(std::span<const Record> records);
  Result<OpenedSegment> open(Codec codec, std::size_t raw_bytes, std::size_t count,
                             std::string_view body);
  // A checkpoint as it is stored: a byte of codec, then its bytes. At most kMaxCheckpointBytes.
  std::string pack_checkpoint(std::string_view bytes);
  Result<std::string> open_checkpoint(std::string_view stored);

 private:
  bool compress(std::string& body);
  // Exactly `raw_bytes`, into `into`.
  Result<void> expand(std::string_view body, char* into, std::size_t raw_bytes);
  struct Contexts;  // zstd's: made at the first use, then kept
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace berm::outbox
