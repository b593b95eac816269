// SPDX-License-Identifier: Apache-2.0
#include "firmware/health/alarm_board.hpp"

#include <gtest/gtest.h>

#include "firmware/event/event.hpp"
#include "firmware/health/health_report.hpp"

namespace berm::health {
namespace {

class FixedClock final : public hal::Clock {
 public:
  MonoTime mono() const override { return mono_us(7'000'000); }
  hal::WallReading wall() const override { return reading; }
  const std::string& boot_id() const override { return boot_; }
  hal::WallReading reading{wall_s(1'700'000'000), ClockSource::ntp};

 private:
  std::string boot_ = "b";
};

std::string value_of(const drivers::Row& row, std::string_view name) {
  for (const auto& [key, value] : row.values) {
    if (key == name && std::holds_alternative<std::string>(value))
      return std::get<std::string>(value);
  }
  return "";
}

struct Bed {
  FixedClock clock;
  AlarmBoard board{clock};
  std::vector<drivers::Row> rows;
  void connect() {
    board.emit_to([this](drivers::Row row) { rows.push_back(std::move(row)); });
  }
};

TEST(AlarmBoard, BeginAndEndAreOneEventEach) {
  Bed bed;
  bed.connect();
  bed.board.begin_alarm("disk_full", "outbox", drivers::Severity::critical, "no room");
  bed.board.begin_alarm("disk_full", "outbox", drivers::Severity::critical, "still no room");
  EXPECT_EQ(bed.board.active(), 1u);
  bed.board.end_alarm("disk_full", "outbox");
  bed.board.end_alarm("disk_full", "outbox");
  ASSERT_EQ(bed.rows.size(), 2u);
  EXPECT_EQ(value_of(bed.rows[0], "state"), "begin");
  EXPECT_EQ(value_of(bed.rows[1], "state"), "end");
  EXPECT_EQ(value_of(bed.rows[1], "text"), "still no room");
  EXPECT_EQ(bed.board.active(), 0u);
}

TEST(AlarmBoard, AnAlarmOutlivesTheProcessAndEndsWhereNobodySaysItAgain) {
  Bed first;
  first.connect();
  first.board.begin_alarm("uplink_down", "gone", drivers::Severity::warning, "no answer");
  first.board.begin_alarm("uplink_down", "here", drivers::Severity::warning, "no answer");
  Bed second;
  second.clock.reading.time = wall_s(1'800'000'000);
  second.board.restore(first.board.save());
  second.connect();
  EXPECT_EQ(second.board.active(), 2u);
  EXPECT_EQ(second.board.save(), first.board.save());
  second.board.begin_alarm("uplink_down", "here", drivers::Severity::warning, "still none");
  EXPECT_TRUE(second.rows.empty());
  second.board.end_carried();
  ASSERT_EQ(second.rows.size(), 1u);
  EXPECT_EQ(value_of(second.rows[0], "subject"), "gone");
  EXPECT_EQ(value_of(second.rows[0], "state"), "end");
  EXPECT_EQ(value_of(second.rows[0], "severity"), "warning");
  EXPECT_EQ(value_of(second.rows[0], "text"), "no answer");
  EXPECT_EQ(second.board.active(), 1u);
}

TEST(AlarmBoard, WhoIsToldOfAChangeFindsItSaved) {
  Bed bed;
  std::vector<std::size_t> saved;
  bed.board.emit_to([&](const drivers::Row&) {
    Bed next;
    next.board.restore(bed.board.save());
    saved.push_back(next.board.active());
  });
  bed.board.begin_alarm("a", "b", drivers::Severity::notice, "text");
  bed.board.end_alarm("a", "b");
  EXPECT_EQ(saved, (std::vector<std::size_t>{1, 0}));
}

TEST(AlarmBoard, WhatCannotBeRestoredIsIgnored) {
  Bed bed;
  for (const char* saved : {"", "x", "{}", "[1]", R"([{"alarm":"a"}])", R"([{"since":1}])"}) {
    bed.board.restore(saved);
  }
  EXPECT_EQ(bed.board.active(), 0u);
}

TEST(AlarmBoard, WhatIsSavedIsBounded) {
  Bed bed;
  for (std::size_t i = 0; i < kMaxActive; ++i) {
    bed.board.begin_alarm("a", std::to_string(i), drivers::Severity::notice,
                          std::string(1000, 'x'));
  }
  EXPECT_LE(bed.board.save().size(), kMaxSavedBytes);
  Bed next;
  next.board.restore(bed.board.save());
  EXPECT_GT(next.board.active(), 40u);
}

TEST(AlarmBoard, EveryAlarmFitsTheSchema) {
  Bed bed;
  bed.connect();
  bed.board.begin_alarm("a", "b", drivers::Severity::notice, "text");
  bed.clock.reading.source = ClockSource::none;
  bed.board.end_alarm("a", "b");
  for (const drivers::Row& row : bed.rows) {
    EXPECT_TRUE(event::write_draft(row, "health", {mono_us(1), std::nullopt}));
  }
  EXPECT_FALSE(bed.rows[1].when.wall.has_value());
}

TEST(AlarmBoard, WhatBeganBeforeTheOutboxIsSaidOnceItIsThere) {
  Bed bed;
  bed.board.begin_alarm("outbox_damaged", "outbox", drivers::Severity::critical, "set aside");
  bed.connect();
  ASSERT_EQ(bed.rows.size(), 1u);
  EXPECT_EQ(value_of(bed.rows[0], "alarm"), "outbox_damaged");
}

TEST(AlarmBoard, TheNumberOfAlarmsIsBounded) {
  Bed bed;
  bed.connect();
  for (std::size_t i = 0; i <= kMaxActive; ++i) {
    bed.board.begin_alarm("a", std::to_string(i), drivers::Severity::notice, "");
  }
  EXPECT_EQ(bed.board.active(), kMaxActive);
  EXPECT_EQ(bed.rows.size(), kMaxActive);
  EXPECT_EQ(bed.board.status().integer("refused"), 1);
}

TEST(HealthReport, IsFlatFitsTheSchemaAndAKilobyte) {
  FixedClock clock;
  Status outbox("outbox");
  outbox.set("waiting", 12).set("gaps_total", 0).set("oldest_unsent_s", 3);
  Status root("berm");
  root.set("version", "0.1.0").set("uptime_s", 90).add(std::move(outbox));
  const auto draft =
      event::write_draft(health_row(root, clock), "health", {mono_us(1), std::nullopt});
  ASSERT_TRUE(draft);
  EXPECT_NE(draft->tail.find("\"waiting\":12,"), std::string::npos) << draft->tail;
  EXPECT_NE(draft->tail.find("\"bytes_day\":null"), std::string::npos) << draft->tail;
  EXPECT_LT(draft->tail.size(), 800u);
}

}  // namespace
}  // namespace berm::health
