// SPDX-License-Identifier: Apache-2.0
// The real minute of 2017-04-27 14:38, where it is there: the sums that were counted by other
// means.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "tests/unit/drivers/miv_feed/feed_bed.hpp"

namespace berm::drivers::miv_feed {
namespace {

std::string recording(const std::string& name) {
  const char* data = std::getenv("BERM_DATA");
  const char* source = std::getenv("BERM_SOURCE");
  const std::filesystem::path folder =
      data != nullptr ? data
                      : std::filesystem::path(source == nullptr ? "." : source) / "../shared/data";
  const auto path = folder / "miv" / name;
  if (!std::filesystem::exists(path)) return {};
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  std::string text(16u << 20, '\0');
  const int length = gzread(file.get(), text.data(), static_cast<unsigned>(text.size()));
  text.resize(length < 0 ? 0U : static_cast<std::size_t>(length));
  return text;
}

TEST(MivRecording, GivesEveryPointOfTheRealMinute) {
  FeedBed feed;
  feed.data.body = recording("verkeersdata-2017-04-27T1438.xml.gz");
  feed.list.body = recording("configuratie-2017-02-17.xml.gz");
  if (feed.data.body.empty()) GTEST_SKIP() << "no recording in ../shared/data/miv or $BERM_DATA";
  feed.start();
  feed.run_s(1);
  ASSERT_EQ(feed.bed.periods().size(), 4254U);
  EXPECT_EQ(feed.bed.rows().size(), 4254U);
  std::int64_t vehicles = 0;
  std::int64_t stale = 0;
  std::int64_t ghosts = 0;
  std::int64_t speeds = 0;
  for (const LanePeriod& period : feed.bed.periods()) {
    vehicles += period.count.value_or(-1'000'000);
    stale += period.flags.find("stale") != std::string::npos ? 1 : 0;
    ghosts += period.flags.find("ghost") != std::string::npos ? 1 : 0;
    EXPECT_NE(period.flags.find("old_document"), std::string::npos);
    EXPECT_EQ(period.flags.find("unplaced"), std::string::npos);
    for (const ClassMeasure& one : period.classes) {
      if (!one.speed_harmonic_kmh) continue;
      ++speeds;
      EXPECT_LE(*one.speed_harmonic_kmh, one.speed_kmh.value_or(0.0));
    }
  }
  EXPECT_EQ(vehicles, 13 + 37'011 + 7'500 + 2'649 + 6'045);
  EXPECT_EQ(stale, 78);
  EXPECT_EQ(ghosts, 57);
  EXPECT_GT(speeds, 9'000);
  EXPECT_EQ(feed.status("odd_values"), 0);
  EXPECT_LT(feed.bed.last_checkpoint().size(), 40'000U);
}

}  // namespace
}  // namespace berm::drivers::miv_feed
