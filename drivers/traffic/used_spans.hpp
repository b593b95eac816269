// SPDX-License-Identifier: Apache-2.0
// UsedSpans: the stretches of wall time (whole seconds) for which a node has begun periods, so that
// a clock that steps back never makes the same (start, period_s) twice. One growing span in normal
// life; kMaxUsedSpans at most: beyond, the two nearest become one, and the time between counts as
// used (a period there is then flagged although it need not be; never the other way). Loop thread;
// a value.
#pragma once

#include <cstdint>
#include <vector>

#include "drivers/traffic/bytes.hpp"
#include "drivers/traffic/limits.hpp"

namespace berm::drivers::traffic {

class UsedSpans {
 public:
  bool contains(std::int64_t second) const;
  // The first second from `second` on that is not used; the first that is (INT64_MAX: none).
  std::int64_t next_free(std::int64_t second) const;
  std::int64_t next_used(std::int64_t second) const;
  // [begin, end)
  void add(std::int64_t begin, std::int64_t end);
  void encode(ByteWriter& writer) const;
  bool decode(ByteReader& reader);

 private:
  struct Span {
    std::int64_t begin;
    std::int64_t end;
  };
  void join_nearest();
  std::vector<Span> spans_;  // sorted, apart
};

}  // namespace berm::drivers::traffic
