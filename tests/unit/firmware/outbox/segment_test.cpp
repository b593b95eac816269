// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/segment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "firmware/outbox/limits.hpp"
#include "hal/sim/random.hpp"

namespace berm::outbox {
namespace {

void expect_same(const Record& a, const Record& b) {
  EXPECT_EQ(a.mono_us, b.mono_us);
  EXPECT_EQ(a.wall_us, b.wall_us);
  EXPECT_EQ(a.clock, b.clock);
  EXPECT_EQ(a.made_mono_us, b.made_mono_us);
  EXPECT_EQ(a.made_wall_us, b.made_wall_us);
  EXPECT_EQ(a.vehicles, b.vehicles);
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.tail, b.tail);
}

void expect_round_trip(const std::vector<Record>& records) {
  SegmentCodec codec;
  const Packed packed = codec.pack(records);
  const auto opened = codec.open(packed.codec, packed.raw_bytes, records.size(), packed.body);
  ASSERT_TRUE(opened) << opened.error().text;
  ASSERT_EQ(opened->records().size(), records.size());
  for (std::size_t i = 0; i < records.size(); ++i) expect_same(opened->records()[i], records[i]);
}

TEST(Segment, ACheckpointComesBackAsItWasAndSmaller) {
  SegmentCodec codec;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{300}, kMaxCheckpointBytes}) {
    const std::string bytes(size, 'x');
    const std::string packed = codec.pack_checkpoint(bytes);
    EXPECT_LE(packed.size(), std::min<std::size_t>(size + 1, 301));
    const auto opened = codec.open_checkpoint(packed);
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_EQ(*opened, bytes);
  }
}

TEST(Segment, ACheckpointThatCannotBeIsRefused) {
  SegmentCodec codec;
  EXPECT_FALSE(codec.open_checkpoint(""));
  EXPECT_FALSE(codec.open_checkpoint("\x09x"));
  EXPECT_FALSE(codec.open_checkpoint("\x02x"));
  const std::string packed = codec.pack_checkpoint(std::string(kMaxCheckpointBytes, 'x'));
  EXPECT_FALSE(codec.open_checkpoint(std::string_view(packed).substr(0, packed.size() - 1)));
}

TEST(Segment, OneEventComesBackAsItWas) {
  expect_round_trip({Record{.mono_us = 5, .made_mono_us = 7, .tail = ",\"a\":1"}});
  expect_round_trip({Record{.mono_us = -5,
                            .wall_us = 1'800'000'000'000'000,
                            .clock = ClockSource::gps,
                            .made_mono_us = 0,
                            .made_wall_us = 1'800'000'000'000'001,
                            .vehicles = 12,
                            .source = "e19",
                            .key = "92301",
                            .tail = ""}});
}

TEST(Segment, ExtremeNumbersComeBack) {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  expect_round_trip(
      {Record{.mono_us = kMin, .wall_us = kMax, .made_mono_us = kMax}, Record{.mono_us = kMax,
                                                                              .wall_us = kMin,
                                                                              .made_mono_us = kMin,
                                                                              .made_wall_us = kMin,
                                                                              .vehicles = kMin}});
}

TEST(Segment, SmallBodiesStayPlainAndLargeOnesShrink) {
  SegmentCodec codec;
  const std::string tail(100, 'x');
  std::vector<Record> records(1, Record{.tail = tail});
  EXPECT_EQ(codec.pack(records).codec, Codec::plain);
  records.resize(10, records[0]);
  const Packed packed = codec.pack(records);
  EXPECT_EQ(packed.codec, Codec::zstd);
  EXPECT_LT(packed.body.size(), packed.raw_bytes / 2);
  expect_round_trip(records);
}

TEST(Segment, RandomEventsComeBack) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    hal::SimRandom random(seed);
    std::vector<std::string> texts;
    for (int i = 0; i < 8; ++i) texts.emplace_back(random.below(300), static_cast<char>('a' + i));
    std::vector<Record> records(1 + random.below(kMaxSegmentEvents));
    for (Record& record : records) {
      record.mono_us = static_cast<std::int64_t>(random.below(1u << 30));
      if (random.below(2) == 0) record.wall_us = static_cast<std::int64_t>(random.next_u64());
      record.clock = static_cast<ClockSource>(random.below(4));
      record.made_mono_us = static_cast<std::int64_t>(random.below(1u << 30));
      if (random.below(2) == 0) record.made_wall_us = static_cast<std::int64_t>(random.next_u64());
      if (random.below(2) == 0) record.vehicles = static_cast<std::int64_t>(random.below(100));
      record.source = texts[random.below(2)];
      record.key = texts[random.below(8)];
      record.tail = texts[random.below(8)];
    }
    expect_round_trip(records);
  }
}

TEST(Segment, DamageIsAnErrorNeverACrash) {
  SegmentCodec codec;
  std::vector<Record> records(20, Record{.mono_us = 1, .source = "e19", .tail = ",\"a\":\"bcd\""});
  const Packed packed = codec.pack(records);
  for (std::size_t cut = 0; cut < packed.body.size(); ++cut) {
    EXPECT_FALSE(codec.open(packed.codec, packed.raw_bytes, 20, packed.body.substr(0, cut)));
  }
  EXPECT_FALSE(codec.open(packed.codec, packed.raw_bytes, 19, packed.body));
  EXPECT_FALSE(codec.open(packed.codec, packed.raw_bytes, 21, packed.body));
  EXPECT_FALSE(codec.open(packed.codec, packed.raw_bytes, 0, packed.body));
  EXPECT_FALSE(codec.open(packed.codec, packed.raw_bytes, kMaxSegmentEvents + 1, packed.body));
  EXPECT_FALSE(codec.open(packed.codec, packed.raw_bytes - 1, 20, packed.body));
  EXPECT_FALSE(codec.open(packed.codec, kMaxBodyBytes + 1, 20, packed.body));
  EXPECT_FALSE(codec.open(static_cast<Codec>(9), packed.raw_bytes, 20, packed.body));
  hal::SimRandom random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string body = packed.body;
    body[random.below(body.size())] ^= static_cast<char>(1 + random.below(255));
    const auto opened = codec.open(packed.codec, packed.raw_bytes, 20, body);
    EXPECT_TRUE(!opened || opened->records().size() == 20u);
  }
}

}  // namespace
}  // namespace berm::outbox
