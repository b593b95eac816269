// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/miv_feed/limits.hpp"

namespace berm::drivers::miv_feed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Parsed {
  std::vector<std::string> faults;
  FeedOptions options;
};

Parsed parse(const std::string& more, const std::string& url = "http://h/data") {
  const auto json =
      Json::parse("{\"data_url\":\"" + url + "\",\"points_url\":\"https://h/points\"" + more + "}");
  EXPECT_TRUE(json.has_value());
  std::vector<OptionFault> faults;
  const Options options = parse_options(kOptions, *json, "/drivers/miv", faults);
  if (faults.empty()) check(options, "/drivers/miv", faults);
  Parsed parsed;
  for (const OptionFault& fault : faults) parsed.faults.push_back(fault.path);
  if (faults.empty()) parsed.options = feed_options(options);
  return parsed;
}

TEST(MivOptions, TakeAllPointsEveryMinuteUnlessTold) {
  const Parsed parsed = parse("");
  ASSERT_THAT(parsed.faults, IsEmpty());
  EXPECT_EQ(parsed.options.period, Seconds{60});
  EXPECT_TRUE(parsed.options.enrich);
  EXPECT_TRUE(parsed.options.wants_all);
  EXPECT_TRUE(parsed.options.wants(17));
  EXPECT_THAT(parse(",\"points\":\"all\"").faults, IsEmpty());
}

TEST(MivOptions, TakeAListOfIdsAsNumbersOrAsTheXmlHasThem) {
  const Parsed parsed = parse(",\"points\":[30,\"29\",0],\"enrich\":false,\"period_s\":5");
  ASSERT_THAT(parsed.faults, IsEmpty());
  EXPECT_THAT(parsed.options.points, ElementsAre(0, 29, 30));
  EXPECT_TRUE(parsed.options.wants(29));
  EXPECT_FALSE(parsed.options.wants(31));
  EXPECT_FALSE(parsed.options.enrich);
}

TEST(MivOptions, NameThePathOfEachFault) {
  EXPECT_THAT(parse(",\"points\":[]").faults, ElementsAre("/drivers/miv/points"));
  EXPECT_THAT(parse(",\"points\":\"some\"").faults, ElementsAre("/drivers/miv/points"));
  EXPECT_THAT(parse(",\"points\":7").faults, ElementsAre("/drivers/miv/points"));
  EXPECT_THAT(parse(",\"points\":[1,-2,1.5,\"x\",1]").faults,
              ElementsAre("/drivers/miv/points/1", "/drivers/miv/points/2", "/drivers/miv/points/3",
                          "/drivers/miv/points/4"));
  EXPECT_THAT(parse(",\"period_s\":0").faults, ElementsAre("/drivers/miv/period_s"));
  EXPECT_THAT(parse(",\"period_s\":3601").faults, ElementsAre("/drivers/miv/period_s"));
  EXPECT_THAT(parse(",\"period_s\":3600").faults, IsEmpty());
}

TEST(MivOptions, RefuseWhatIsNoAddress) {
  for (const char* url : {"ftp://h/x", "http://", "https:///x", "h/x", "http://h/a b", ""}) {
    EXPECT_THAT(parse("", url).faults, ElementsAre("/drivers/miv/data_url")) << url;
  }
  EXPECT_THAT(parse("", "http://h/" + std::string(kMaxUrlBytes - 9, 'x')).faults, IsEmpty());
  EXPECT_THAT(parse("", "http://h/" + std::string(kMaxUrlBytes - 8, 'x')).faults,
              ElementsAre("/drivers/miv/data_url"));
}

TEST(MivOptions, HoldTheNumberOfPoints) {
  std::string list;
  for (std::size_t i = 1; i < kMaxPoints; ++i) list += std::to_string(i) + ",";
  EXPECT_THAT(parse(",\"points\":[" + list + "0]").faults, IsEmpty());
  EXPECT_THAT(parse(",\"points\":[" + list + "0,99999]").faults,
              ElementsAre("/drivers/miv/points"));
}

}  // namespace
}  // namespace berm::drivers::miv_feed
