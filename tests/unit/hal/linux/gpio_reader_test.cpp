// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/gpio_reader.hpp"

#include <gtest/gtest.h>

#include "hal/linux/clock.hpp"
#include "tests/unit/hal/linux/fake_gpio.hpp"

namespace berm::hal {
namespace {

using Kind = GpioItem::Kind;

class GpioReaderTest : public testing::Test {
 protected:
  // One group over the chips "a" (lines 0 and 1 of the group) and, if wanted, "b" (line 2).
  void make(bool with_b = false, GpioReaderOptions options = {}) {
    std::vector<GpioSource> sources;
    sources.push_back({"a", {{.offset = 10}, {.offset = 11, .debounce_us = 300}}, {0, 1}, {}});
    if (with_b) sources.push_back({"b", {{.offset = 5}}, {2}, {}});
    for (GpioSource& source : sources) {
      source.open = chips_.request(source.chip, source.configs).value();
    }
    reader_ = std::make_unique<GpioReader>(chips_, std::move(sources), options);
  }

  void make_and_settle(bool with_b = false, GpioReaderOptions options = {}) {
    make(with_b, options);
    a_.wait_until_levels_read(1);
    if (with_b) b_.wait_until_levels_read(1);
    begin_ = read_mono_clock() + Seconds{1};
  }

  // The next items, once `count` of them have come.
  std::vector<GpioItem> take(std::size_t count) {
    std::vector<GpioItem> items;
    while (items.size() < count) {
      pollfd waited{reader_->wake_fd(), POLLIN, 0};
      if (::poll(&waited, 1, 20000) != 1) {
        ADD_FAILURE() << "only " << items.size() << " items of " << count;
        break;
      }
      reader_->drain(items);
    }
    EXPECT_EQ(items.size(), count);
    return items;
  }

  static void expect_edge(const GpioItem& item, std::uint16_t line, bool on, std::uint32_t lost) {
    EXPECT_EQ(item.kind, Kind::edge);
    EXPECT_EQ(item.edge.line, line);
    EXPECT_EQ(item.edge.on, on);
    EXPECT_EQ(item.edge.lost_before, lost);
  }

  MonoTime at(int ms) const { return begin_ + Milliseconds{ms}; }

  FakeGpioChips chips_;
  FakeGpioChip& a_ = chips_.chip("a");
  FakeGpioChip& b_ = chips_.chip("b");
  MonoTime begin_{};
  std::unique_ptr<GpioReader> reader_;
};

TEST_F(GpioReaderTest, TellsFirstWhichLinesAreOn) {
  a_.set_levels(0b10);
  make();
  const auto items = take(1);
  expect_edge(items[0], 1, true, 0);
}

TEST_F(GpioReaderTest, EdgesBeforeTheStartAreNotTold) {
  a_.set_levels(0b01);
  a_.add(10, true, read_mono_clock());
  a_.add(11, true, read_mono_clock());
  a_.add(11, false, read_mono_clock());
  a_.wake();
  make();
  const auto items = take(1);
  expect_edge(items[0], 0, true, 0);
  EXPECT_TRUE(items[0].edge.tells_state);
  a_.wait_until_levels_read(1);
  begin_ = read_mono_clock() + Seconds{1};
  a_.add(11, true, at(0));
  a_.wake();
  const auto change = take(1);
  expect_edge(change[0], 1, true, 0);
  EXPECT_FALSE(change[0].edge.tells_state);
}

TEST_F(GpioReaderTest, AnEdgeHasTheKernelsStampAndTheLinesResolution) {
  make_and_settle();
  a_.add(10, true, at(7));
  a_.add(11, true, at(9));
  a_.wake();
  const auto items = take(2);
  expect_edge(items[0], 0, true, 0);
  EXPECT_EQ(items[0].edge.time, at(7));
  EXPECT_EQ(items[0].edge.resolution_us, 1u);
  expect_edge(items[1], 1, true, 0);
  EXPECT_EQ(items[1].edge.time, at(9));
  EXPECT_EQ(items[1].edge.resolution_us, 301u);
}

TEST_F(GpioReaderTest, AJumpOfTheLinesNumberIsALossOfThatLineOnly) {
  make_and_settle();
  a_.add(10, true, at(1));
  a_.add(11, true, at(2));
  a_.add(10, false, at(3), 4);
  a_.add(11, false, at(4));
  a_.wake();
  const auto items = take(4);
  expect_edge(items[0], 0, true, 0);
  expect_edge(items[1], 1, true, 0);
  expect_edge(items[2], 0, false, 4);
  expect_edge(items[3], 1, false, 0);
}

TEST_F(GpioReaderTest, TheKernelsCounterMayWrapAround) {
  a_.set_line_seqno(10, 0xFFFFFFFD);
  a_.add(10, false, read_mono_clock());  // …FE, before the start
  make_and_settle();
  a_.add(10, true, at(1));      // …FF
  a_.add(10, false, at(2), 1);  // 0 is missing
  a_.wake();
  const auto items = take(2);
  expect_edge(items[0], 0, true, 0);
  expect_edge(items[1], 0, false, 1);
}

TEST_F(GpioReaderTest, SeveralChipsAreMergedInOrderOfTime) {
  make_and_settle(true);
  a_.add(10, true, at(1));
  a_.add(10, false, at(4));
  a_.add(10, true, at(6));
  b_.add(5, true, at(2));
  b_.add(5, false, at(5));
  // All five wait before the reader is woken: one look takes them all.
  b_.wake();
  a_.wake();
  std::vector<int> times;
  for (const GpioItem& item : take(5)) {
    times.push_back(static_cast<int>((item.edge.time - begin_).count() / 1000));
  }
  EXPECT_EQ(times, (std::vector<int>{1, 2, 4, 5, 6}));
}

TEST_F(GpioReaderTest, WhatFindsTheQueueFullIsCountedAndTheLevelToldAnew) {
  make_and_settle(false, {.max_queued = 4, .recheck = Milliseconds{1}});
  for (int i = 0; i < 9; ++i) a_.add(10, i % 2 == 0, at(i));
  a_.set_levels(0b01);
  a_.wake();
  const auto first = take(4);
  for (std::size_t i = 0; i < 4; ++i) expect_edge(first[i], 0, i % 2 == 0, 0);
  const auto anew = take(1);
  expect_edge(anew[0], 0, true, 5);
  a_.add(10, false, at(2000));
  a_.wake();
  expect_edge(take(1)[0], 0, false, 0);
}

TEST_F(GpioReaderTest, AnEdgeAfterAnOverflowCarriesTheLossIfItComesFirst) {
  make_and_settle(false, {.max_queued = 2, .recheck = Seconds{3600}});
  for (int i = 0; i < 5; ++i) a_.add(10, i % 2 == 0, at(i));
  a_.wake();
  take(2);
  a_.add(10, false, at(100));
  a_.wake();
  expect_edge(take(1)[0], 0, false, 3);
}

TEST_F(GpioReaderTest, AChipThatGoesIsSaidOnceAndComesBackWithEveryLevelAnew) {
  make_and_settle(false, {.reopen = Milliseconds{1}});
  a_.add(10, true, at(1));
  a_.wake();
  expect_edge(take(1)[0], 0, true, 0);
  const MonoTime before = read_mono_clock();
  a_.unplug();
  const auto down = take(1);
  EXPECT_EQ(down[0].kind, Kind::down);
  EXPECT_GE(down[0].edge.time, before);
  a_.set_levels(0b10);
  a_.plug_in();
  const auto back = take(3);
  EXPECT_EQ(back[0].kind, Kind::up);
  EXPECT_GE(back[0].edge.time, down[0].edge.time);
  expect_edge(back[1], 0, false, 1);  // at least one was lost, nobody knows how many
  expect_edge(back[2], 1, true, 1);
  a_.wait_until_levels_read(2);
  begin_ = read_mono_clock() + Seconds{1};
  a_.add(10, true, at(1));
  a_.wake();
  expect_edge(take(1)[0], 0, true, 0);
}

TEST_F(GpioReaderTest, WithOneChipGoneTheOtherGoesOn) {
  make_and_settle(true, {.reopen = Milliseconds{1}});
  a_.unplug();
  EXPECT_EQ(take(1)[0].kind, Kind::down);
  b_.add(5, true, at(1));
  b_.wake();
  expect_edge(take(1)[0], 2, true, 0);
  b_.unplug();
  a_.plug_in();
  const auto levels = take(2);  // of a's lines; the group is still down, and that was said
  expect_edge(levels[0], 0, false, 1);
  expect_edge(levels[1], 1, false, 1);
  b_.plug_in();
  const auto back = take(2);
  EXPECT_EQ(back[0].kind, Kind::up);
  expect_edge(back[1], 2, false, 1);
}

TEST_F(GpioReaderTest, AChipThatIsGoneAtTheStartIsDown) {
  make();
  reader_.reset();
  std::vector<GpioSource> sources;
  sources.push_back({"a", {{.offset = 10}}, {0}, chips_.request("a", {}).value()});
  a_.unplug();
  reader_ = std::make_unique<GpioReader>(chips_, std::move(sources));
  EXPECT_EQ(take(1)[0].kind, Kind::down);
}

TEST_F(GpioReaderTest, AnUnknownOffsetIsIgnored) {
  make_and_settle();
  a_.add(99, true, at(1));
  a_.add(10, true, at(2));
  a_.wake();
  expect_edge(take(1)[0], 0, true, 0);
}

TEST_F(GpioReaderTest, ManyEdgesAtOnceAllArrive) {
  make_and_settle();
  for (int i = 0; i < 1024; ++i) a_.add(10, i % 2 == 0, at(i));
  a_.wake();
  const auto items = take(1024);
  for (std::size_t i = 0; i < items.size(); ++i) {
    expect_edge(items[i], 0, i % 2 == 0, 0);
    EXPECT_EQ(items[i].edge.time, at(static_cast<int>(i)));
  }
}

}  // namespace
}  // namespace berm::hal
