// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/status_view.hpp"

#include <gtest/gtest.h>

#include "hal/base/text.hpp"

namespace berm::shell {
namespace {

Status node() {
  Status lane("R10");
  lane.set("count", 12)
      .set("speed_kmh", 91.04)
      .set_unknown("occupancy_percent")
      .set("coverage", 1.0);
  Status lanes("lanes");
  lanes.add(std::move(lane));
  Status driver("e19");
  driver.set("driver", "loop_detector")
      .set("state", "running")
      .set("edges", 1234)
      .add(std::move(lanes));
  Status drivers("drivers");
  drivers.add(std::move(driver));
  Status uplink("flume");
  uplink.set("state", "sending").set("delivered", 100).set("waiting", 3);
  Status uplinks("uplinks");
  uplinks.add(std::move(uplink));
  Status outbox("outbox");
  outbox.set("events", 103).set("disk_bytes", 1536).set("oldest_unsent_s", 61);
  Status root("berm");
  root.set("node", "e19-km31").set("version", "0.1.0");
  root.add(std::move(drivers)).add(std::move(uplinks)).add(std::move(outbox)).add(Status("alarms"));
  return root;
}

TEST(StatusView, ShowsLanesUplinksAndOutboxWithinAHundredColumns) {
  const std::string text = status_text(node());
  EXPECT_NE(text.find("e19/R10"), std::string::npos) << text;
  EXPECT_NE(text.find("91.0"), std::string::npos) << text;
  EXPECT_NE(text.find("flume"), std::string::npos) << text;
  EXPECT_NE(text.find("1.5 kB"), std::string::npos) << text;
  for (const std::string_view line : split(text, '\n')) EXPECT_LE(line.size(), 100u) << line;
}

TEST(StatusView, WhatIsNotKnownIsADash) {
  const std::string text = status_text(node());
  const auto line = text.substr(text.find("e19/R10"));
  EXPECT_NE(line.substr(0, line.find('\n')).find(" - "), std::string::npos) << line;
}

TEST(StatusView, AnEmptyStatusIsShownWithoutTables) {
  EXPECT_NE(status_text(Status("berm")).find("node -"), std::string::npos);
}

TEST(StatusView, TheSummaryIsOneLine) {
  const std::string line = status_summary(node());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_NE(line.find("flume sending 100 (+3)"), std::string::npos) << line;
}

TEST(TextTable, ColumnsLineUpWithWideCharacters) {
  TextTable table({"lane", "km/h"});
  table.add({"ä", "9.5"});
  table.add({"abcdef", "110.5"});
  EXPECT_EQ(table.text(), "lane     km/h\nä         9.5\nabcdef  110.5\n");
}

}  // namespace
}  // namespace berm::shell
