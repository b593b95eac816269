// SPDX-License-Identifier: Apache-2.0
// A stored body of any bytes: it is refused, or its events lie within it and pack to a body that
// opens to the same events.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/segment.hpp"
#include "hal/base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berm::outbox;
  if (size < 3) return 0;
  const std::size_t count = 1 + (data[0] | (data[1] << 8u)) % kMaxSegmentEvents;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  SegmentCodec codec;
  for (const Codec how : {Codec::plain, Codec::zstd, Codec::plain_columns, Codec::zstd_columns}) {
    const auto opened = codec.open(how, size, count, bytes);
    BERM_ASSERT(!opened || opened->records().size() == count);
  }
  // Without the checksum in its way.
  const auto tails = tails_of(bytes, count, kMaxBodyBytes);
  const auto columns = tails ? columns_of(tails->views) : std::nullopt;
  if (columns) {
    const auto same = tails_of(*columns, count, kMaxBodyBytes);
    BERM_ASSERT(same && same->views == tails->views);
  }
  const auto checkpoint = codec.open_checkpoint(bytes);
  BERM_ASSERT(!checkpoint || bytes[0] == 1 || checkpoint->size() <= kMaxCheckpointBytes);
  const auto records = read_records(bytes, count);
  if (!records) return 0;
  BERM_ASSERT(records->size() == count);
  const Packed packed = codec.pack(*records);
  const auto again = codec.open(packed.codec, packed.raw_bytes, count, packed.body);
  BERM_ASSERT(again.has_value());
  for (std::size_t i = 0; i < count; ++i) {
    const Record& a = (*records)[i];
    const Record& b = again->records()[i];
    BERM_ASSERT(a.mono_us == b.mono_us && a.wall_us == b.wall_us && a.clock == b.clock);
    BERM_ASSERT(a.made_mono_us == b.made_mono_us && a.made_wall_us == b.made_wall_us);
    BERM_ASSERT(a.vehicles == b.vehicles && a.source == b.source && a.key == b.key);
    BERM_ASSERT(a.tail == b.tail);
  }
  return 0;
}
