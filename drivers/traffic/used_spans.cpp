// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/used_spans.hpp"

#include <algorithm>

namespace berm::drivers::traffic {

bool UsedSpans::contains(std::int64_t second) const {
  return std::any_of(spans_.begin(), spans_.end(), [second](const Span& span) {
    return span.begin <= second && second < span.end;
  });
}

std::int64_t UsedSpans::next_free(std::int64_t second) const {
  for (const Span& span : spans_) {
    if (span.begin <= second && second < span.end) return span.end;  // spans stand apart
  }
  return second;
}

std::int64_t UsedSpans::next_used(std::int64_t second) const {
  for (const Span& span : spans_) {
    if (second < span.end) return std::max(second, span.begin);
  }
  return INT64_MAX;
}

void UsedSpans::add(std::int64_t begin, std::int64_t end) {
  if (end <= begin) return;
  Span whole{begin, end};
  std::erase_if(spans_, [&whole](const Span& span) {
    if (span.end < whole.begin || whole.end < span.begin) return false;
    whole.begin = std::min(whole.begin, span.begin);
    whole.end = std::max(whole.end, span.end);
    return true;
  });
  const auto after = std::find_if(spans_.begin(), spans_.end(),
                                  [&whole](const Span& span) { return span.begin > whole.begin; });
  spans_.insert(after, whole);
  if (spans_.size() > kMaxUsedSpans) join_nearest();
}

void UsedSpans::join_nearest() {
  std::size_t nearest = 0;
  for (std::size_t i = 0; i + 1 < spans_.size(); ++i) {
    const auto apart = [this](std::size_t k) { return spans_[k + 1].begin - spans_[k].end; };
    if (apart(i) < apart(nearest)) nearest = i;
  }
  spans_[nearest].end = spans_[nearest + 1].end;
  spans_.erase(spans_.begin() + static_cast<std::ptrdiff_t>(nearest) + 1);
}

void UsedSpans::encode(ByteWriter& writer) const {
  writer.u8(static_cast<std::uint8_t>(spans_.size()));
  for (const Span& span : spans_) {
    writer.i64(span.begin);
    writer.i64(span.end);
  }
}

bool UsedSpans::decode(ByteReader& reader) {
  constexpr std::int64_t kFarS = std::int64_t{1} << 42;  // beyond any wall time in seconds
  UsedSpans read;
  const std::size_t count = reader.u8();
  if (count > kMaxUsedSpans) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t begin = reader.i64();
    const std::int64_t end = reader.i64();
    if (begin < -kFarS || end > kFarS || end <= begin) return false;
    read.add(begin, end);
  }
  if (!reader.is_good()) return false;
  *this = read;
  return true;
}

}  // namespace berm::drivers::traffic
