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

std::vector<Record> records_of(const std::vector<std::string>& tails) {
  std::vector<Record> records;
  for (const std::string& tail : tails) records.push_back(Record{.tail = tail});
  return records;
}

TEST(Segment, TailsOfTheSameNamesAreTurnedIntoColumns) {
  const std::vector<std::string> tails = {
      R"(,"uid":92301,"flags":"half \" , [","of":{"a":[1,2],"b":"}"},"x":null)",
      R"(,"uid":92302,"flags":"","of":[],"x":-1.5)", R"(,"uid":92301,"flags":"\\","of":0,"x":1e9)"};
  const auto records = records_of(tails);
  SegmentCodec codec;
  EXPECT_EQ(codec.pack(records).codec, Codec::plain_columns);
  expect_round_trip(records);
}

TEST(Segment, TailsThatCannotBeTurnedStayAsTheyAre) {
  SegmentCodec codec;
  const std::string good = R"(,"a":1,"b":2)";
  for (const std::string& other :
       {std::string(R"(,"a":1)"), std::string(R"(,"a":1,"b":2,"c":3)"),
        std::string(R"(,"a":1,"c":2)"), std::string(R"(,"a":,"b":2)"),
        std::string(",\"a\":1\n,\"b\":2"), std::string("x"), std::string(),
        std::string(R"(,"a":1,)"), std::string(R"(,"a\"":1,"b":2)"),
        std::string(R"(,"a":"1,"b":2)")}) {
    SCOPED_TRACE(other);
    for (const std::vector<std::string>& tails : {std::vector{good, other}, {other, good}}) {
      EXPECT_EQ(codec.pack(records_of(tails)).codec, Codec::plain);
      expect_round_trip(records_of(tails));
    }
  }
  const std::vector<std::string> alone = {good};
  EXPECT_EQ(codec.pack(records_of(alone)).codec, Codec::plain);
}

// Names and values as a driver writes them, and now and then something else.
std::string random_tail(hal::SimRandom& random, std::size_t fields) {
  const std::vector<std::string> values = {"0",     "null",     "91.25",
                                           R"("")", R"("a,b")", R"({"c":[1,2]})"};
  std::string tail;
  for (std::size_t field = 0; field < fields; ++field) {
    tail += ",\"f" + std::to_string(field) + "\":" + values[random.below(values.size())];
  }
  if (random.below(200) == 0) tail += random.below(2) == 0 ? "," : "\n";
  return tail;
}

TEST(Segment, RandomMembersComeBack) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    hal::SimRandom random(seed);
    const std::size_t fields = random.below(8);
    std::vector<std::string> tails;
    for (std::size_t i = 0; i <= random.below(60); ++i)
      tails.push_back(random_tail(random, fields));
    expect_round_trip(records_of(tails));
  }
}

TEST(Segment, ColumnsOfLanePeriodsTakeLessThanTwoThirdsOfTheirRows) {
  hal::SimRandom random(7);
  std::vector<std::string> tails;
  for (int i = 0; i < 100; ++i) {
    std::string tail = ",\"uid\":" + std::to_string(92301 + i) + ",\"lane\":\"R10\"";
    for (int n = 1; n <= 20; ++n) {
      const std::string value = std::to_string(random.below(100)) + "." + std::to_string(n % 10);
      tail += ",\"measure_class_" + std::to_string(n) + "_speed\":" + value;
    }
    tails.push_back(tail);
  }
  SegmentCodec codec;
  const std::size_t columns = codec.pack(records_of(tails)).body.size();
  tails[0] += ",\"z\":0";  // so that they stay rows
  const std::size_t rows = codec.pack(records_of(tails)).body.size();
  EXPECT_LT(columns * 3, rows * 2);
}

TEST(Segment, DamagedColumnsAreAnErrorNeverACrash) {
  const std::string columns = ":a\n1\n2\n=b\nx\n";
  const auto tails = tails_of(columns, 2, 100);
  ASSERT_TRUE(tails);
  EXPECT_EQ(tails->views, (std::vector<std::string_view>{",\"a\":1,\"b\":x", ",\"a\":2,\"b\":x"}));
  EXPECT_TRUE(tails_of(columns, 2, 24));
  EXPECT_FALSE(tails_of(columns, 2, 23));
  EXPECT_FALSE(tails_of(columns, 3, 100));
  EXPECT_FALSE(tails_of(columns, 1, 100));
  for (std::size_t cut = 1; cut < columns.size(); ++cut) {
    const auto cut_off = tails_of(std::string_view(columns).substr(0, cut), 2, 100);
    EXPECT_EQ(cut_off.has_value(), cut == 7) << cut;  // a column less is what it is
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
