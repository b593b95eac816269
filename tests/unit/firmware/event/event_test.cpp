// SPDX-License-Identifier: Apache-2.0
#include "firmware/event/event.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "hal/base/json.hpp"

namespace berm::event {
namespace {

using drivers::LanePeriod;
using drivers::Row;
using drivers::VehiclePassage;

constexpr Made kMade{mono_us(5'000'000), wall_s(1'700'000'060)};

std::string line_of(const Draft& draft) {
  std::string line;
  compose_line(*draft.schema, {"e19", "k3x9", 7}, {draft.wall.value_or(wall_s(1)), draft.clock},
               draft.source, draft.tail, line);
  return line;
}

Json parsed(const Draft& draft) {
  auto json = Json::parse(line_of(draft));
  EXPECT_TRUE(json) << line_of(draft);
  return json ? *json : Json();
}

LanePeriod quiet_minute() {
  LanePeriod period;
  period.start = {mono_us(1), wall_s(1'700'000'000), ClockSource::ntp};
  period.uid = 92301;
  period.lane = "R10";
  period.count = 0;
  return period;
}

TEST(Event, LinesBeginWithTheCommonFieldsInTheirOrder) {
  const auto draft = write_draft(quiet_minute(), "e19", kMade);
  ASSERT_TRUE(draft);
  EXPECT_EQ(
      line_of(*draft).rfind(
          R"({"id":"e19/k3x9/traffic.lane/7","v":1,"node":"e19","epoch":"k3x9",)"
          R"("stream":"traffic.lane","seq":7,"time":1700000000,"clock":"ntp",)"
                R"("source":"e19","uid":92301,)",
          0),
      0u)
      << line_of(*draft);
}

TEST(Event, EveryFieldOfTheTableIsPresentAndUnknownOnesAreNull) {
  const auto draft = write_draft(quiet_minute(), "e19", kMade);
  ASSERT_TRUE(draft);
  const Json line = parsed(*draft);
  for (const FieldSpec& field : common_fields())
    EXPECT_NE(line.find(field.name), nullptr) << field.name;
  for (const FieldSpec& field : draft->schema->fields) {
    EXPECT_NE(line.find(field.name), nullptr) << field.name;
  }
  EXPECT_EQ(line.object().size(), common_fields().size() + draft->schema->fields.size());
  EXPECT_TRUE(line.find("occupancy")->is_null());
  EXPECT_EQ(line.find("count")->integer(), 0);
}

TEST(Event, NumbersCarryAFractionAndIntegersNever) {
  LanePeriod period = quiet_minute();
  period.classes[1] = {12, 91.0, 90.126, 12};
  const auto draft = write_draft(period, "e19", kMade);
  ASSERT_TRUE(draft);
  EXPECT_NE(draft->tail.find("\"measure_class_2_speed\":91.0,"), std::string::npos) << draft->tail;
  EXPECT_NE(draft->tail.find("\"measure_class_2_speed_harmonic\":90.13,"), std::string::npos);
  EXPECT_NE(draft->tail.find("\"measure_class_2_count\":12,"), std::string::npos);
}

TEST(Event, ANumberThatIsNotFiniteIsNull) {
  LanePeriod period = quiet_minute();
  period.unrest = std::numeric_limits<double>::quiet_NaN();
  period.occupancy_percent = std::numeric_limits<double>::infinity();
  const auto draft = write_draft(period, "e19", kMade);
  ASSERT_TRUE(draft);
  EXPECT_TRUE(parsed(*draft).find("unrest")->is_null());
  EXPECT_TRUE(parsed(*draft).find("occupancy")->is_null());
}

TEST(Event, VehiclesOfALanePeriodAreWhatAGapRecordMustAccountFor) {
  LanePeriod period = quiet_minute();
  period.count = 31;
  EXPECT_EQ(write_draft(period, "e19", kMade)->vehicles, 31);
  period.count.reset();
  EXPECT_EQ(write_draft(period, "e19", kMade)->vehicles, 0);
  VehiclePassage passage;
  passage.lane = "R10";
  EXPECT_FALSE(write_draft(passage, "e19", kMade)->vehicles.has_value());
}

TEST(Event, APassageCarriesItsTimeInMilliseconds) {
  VehiclePassage passage;
  passage.leading_edge = {mono_us(1), wall_us(1'700'000'000'123'999), ClockSource::gps};
  passage.uid = 5;
  passage.lane = "R10";
  const auto draft = write_draft(passage, "e19", kMade);
  ASSERT_TRUE(draft);
  EXPECT_EQ(parsed(*draft).find("time_ms")->integer(), 1'700'000'000'123);
  EXPECT_EQ(parsed(*draft).find("time")->integer(), 1'700'000'000);
  EXPECT_EQ(draft->key, "5");
}

TEST(Event, TimesBefore1970AreFloored) {
  std::string line;
  compose_line(*find_schema("traffic.vehicle"), {"n", "e", 1}, {wall_us(-1), ClockSource::none},
               "s", "", line);
  EXPECT_NE(line.find("\"time\":-1,\"time_ms\":-1,"), std::string::npos) << line;
}

Row alarm_row() {
  return Row{"node.alarm",
             {mono_us(1), wall_s(10), ClockSource::rtc},
             {{"text", std::string("no \"edges\"\n")},
              {"alarm", std::string("stuck")},
              {"subject", std::string("R10")},
              {"severity", std::string("warning")},
              {"state", std::string("begin")},
              {"since", std::int64_t{10}}}};
}

TEST(Event, ARowIsWrittenInTheOrderOfItsTable) {
  const auto draft = write_draft(alarm_row(), "health", kMade);
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->tail.rfind(R"(,"alarm":"stuck","subject":"R10")", 0), 0u) << draft->tail;
  EXPECT_EQ(parsed(*draft).find("text")->string(), "no \"edges\"\n");
  EXPECT_TRUE(draft->key.empty());
}

TEST(Event, ARowWithAnUnknownFieldOrTypeOrAHoleIsRefusedByName) {
  Row extra = alarm_row();
  extra.values.emplace_back("colour", std::string("red"));
  EXPECT_NE(write_draft(extra, "s", kMade).error().text.find("colour"), std::string::npos);
  Row other_type = alarm_row();
  other_type.values[0].second = std::int64_t{3};
  EXPECT_NE(write_draft(other_type, "s", kMade).error().text.find("text"), std::string::npos);
  Row hole = alarm_row();
  hole.values.erase(hole.values.begin());
  EXPECT_NE(write_draft(hole, "s", kMade).error().text.find("missing"), std::string::npos);
  Row unknown = alarm_row();
  unknown.stream = "node.nothing";
  EXPECT_FALSE(write_draft(unknown, "s", kMade));
}

TEST(Event, AWallTimeThatNobodyVouchesForIsLeftOpen) {
  LanePeriod period = quiet_minute();
  period.start.wall.reset();
  period.start.clock = ClockSource::ntp;
  const auto draft = write_draft(period, "e19", {mono_us(9), std::nullopt});
  ASSERT_TRUE(draft);
  EXPECT_FALSE(draft->wall);
  EXPECT_EQ(draft->clock, ClockSource::none);
  EXPECT_FALSE(draft->made_wall);
}

}  // namespace
}  // namespace berm::event
