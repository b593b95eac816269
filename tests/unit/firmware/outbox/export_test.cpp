// SPDX-License-Identifier: Apache-2.0
// Lines read from an outbox are those that were delivered, whatever state it is in.
#include "firmware/outbox/export.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "firmware/outbox/opening.hpp"
#include "hal/base/text.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

using outbox::ExportFilter;
using outbox::ExportPart;
using outbox::ExportPlace;
using outbox::ExportSummary;

constexpr const char* kState = "/state/berm";

class OutboxExport : public ::testing::Test {
 protected:
  // Events with their own time, events that wait for an anchor, several streams; all delivered.
  void fill() {
    bed_.options.hold_for_clock_s = 60;
    bed_.clock().set_source(ClockSource::none);
    ASSERT_TRUE(bed_.open());
    for (int i = 0; i < 300; ++i) append(i);
    bed_.run_for(Seconds{70});
    bed_.clock().set_source(ClockSource::gps);
    for (int i = 0; i < 300; ++i) append(i);
    bed_.run_for(Seconds{70});
    for (const event::Event& event : bed_.drain(0)) delivered_[id_of(event)] = event.line;
    ASSERT_GT(delivered_.size(), 600u);
  }
  void append(int i) {
    bed_.does_know_time = i % 3 != 0;
    bed_.append_lane(i % 40);
    if (i % 5 == 0) bed_.append_vehicle();
    if (i % 50 == 0) bed_.append_row("node.alarm");
    bed_.run_for(Milliseconds{400});
  }
  // By hand: every line is what was delivered; how many there are.
  std::size_t compare(const std::string& text) {
    std::size_t lines = 0;
    for (const std::string_view line : split(text, '\n')) {
      if (line.empty()) continue;
      ++lines;
      const auto id = line.substr(7, line.find('"', 7) - 7);  // {"id":"node/epoch/stream/seq"
      const auto known = delivered_.find(std::string(id.substr(id.find('/') + 1)));
      if (known == delivered_.end()) continue;  // came after the last delivery
      EXPECT_EQ(line, known->second);
      seen_.insert(known->first);
    }
    return lines;
  }
  Result<ExportSummary> export_all(const ExportFilter& filter = {}) {
    text_.clear();
    return outbox::export_outbox(bed_.disk(), kState, filter, [this](std::string_view lines) {
      text_ += lines;
      return true;
    });
  }
  std::map<std::string, std::string> delivered_;
  std::set<std::string> seen_;
  std::string text_;
  OutboxBed bed_;
};

TEST_F(OutboxExport, OfARunningOutboxIsWhatWasDelivered) {
  fill();
  ExportPlace place;
  bool is_last = false;
  for (int parts = 0; !is_last; ++parts) {
    ASSERT_LT(parts, 100);
    bed_.outbox().read_on({}, place, [&](Result<ExportPart> part) {
      ASSERT_TRUE(part) << part.error().text;
      compare(part->lines);
      place = part->next;
      is_last = part->is_last;
    });
    bed_.run_for(Milliseconds{10});
  }
  EXPECT_EQ(seen_.size(), delivered_.size());
  EXPECT_EQ(place.unreadable, 0);
}

TEST_F(OutboxExport, RefusesWhatAnAgentHolds) {
  fill();
  const auto summary = export_all();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, ErrorCode::exists);
}

TEST_F(OutboxExport, OfAStoppedOneIsAllOfItAndChangesNothing) {
  fill();
  bed_.close();
  const auto before = bed_.disk().list(kState);
  const auto summary = export_all();
  ASSERT_TRUE(summary) << summary.error().text;
  EXPECT_EQ(compare(text_), static_cast<std::size_t>(summary->events));
  EXPECT_EQ(seen_.size(), delivered_.size());
  EXPECT_EQ(summary->unreadable, 0);
  EXPECT_EQ(*bed_.disk().list(kState), *before);
  const std::string epoch = bed_.options.node;
  ASSERT_TRUE(bed_.open());
  EXPECT_TRUE(bed_.alarms().ever.empty()) << "nothing is taken for damage";
}

TEST_F(OutboxExport, OfAKilledOneHasWhatOnlyItsLogHas) {
  fill();
  bed_.append_row("node.alarm");
  bed_.run_for(Seconds{1});
  bed_.kill();
  ASSERT_TRUE(export_all());
  compare(text_);
  EXPECT_EQ(seen_.size(), delivered_.size());
  EXPECT_EQ(std::ranges::count(text_, '\n'), static_cast<std::ptrdiff_t>(delivered_.size()) + 1);
}

TEST_F(OutboxExport, KeepsToItsStreamAndItsTime) {
  fill();
  bed_.close();
  ASSERT_TRUE(export_all({.stream = "traffic.v*", .since_s = std::nullopt}));
  const std::size_t vehicles = compare(text_);
  EXPECT_GT(vehicles, 100u);
  EXPECT_EQ(text_.find("traffic.lane"), std::string::npos);
  const std::int64_t now_s = s_of(bed_.clock().wall().time);
  ASSERT_TRUE(export_all({.stream = "traffic.vehicle", .since_s = now_s - 130}));
  const std::size_t later = compare(text_);
  EXPECT_GT(later, 10u);
  EXPECT_LT(later, vehicles);
}

TEST_F(OutboxExport, OfADamagedOneIsEverythingThatCanStillBeRead) {
  fill();
  bed_.close();
  const std::string path = outbox::database_path(kState);
  const auto whole = bed_.disk().read(path, 1u << 24);
  ASSERT_TRUE(whole);
  std::size_t fewest = delivered_.size();
  std::size_t all = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::string bytes = *whole;
    hal::SimRandom random(seed);
    const std::size_t at = 4096 + random.below(bytes.size() - 4096);
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    bed_.disk().prepare_file(path, bytes);
    seen_.clear();
    const auto summary = export_all();
    ASSERT_TRUE(summary) << summary.error().text;
    compare(text_);
    fewest = std::min(fewest, seen_.size());
    all += seen_.size();
  }
  EXPECT_LT(fewest, delivered_.size()) << "some flips cost events";
  EXPECT_GT(all, 20 * delivered_.size() / 2) << "most of them few";
}

TEST_F(OutboxExport, EventsWithoutAFinalLineAreCountedNotWritten) {
  bed_.clock().set_source(ClockSource::none);
  bed_.does_know_time = false;
  ASSERT_TRUE(bed_.open());
  for (int i = 0; i < 5; ++i) bed_.append_lane(i);
  bed_.run_for(Seconds{2});
  bed_.close();
  const auto summary = export_all();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->unsettled, 6) << "and the epoch";
  EXPECT_EQ(text_, "");
}

TEST_F(OutboxExport, WhereThereIsNoneItSaysSo) {
  const auto summary = export_all();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace berm::test
