// SPDX-License-Identifier: Apache-2.0
#include "hal/base/status.hpp"

#include <gtest/gtest.h>

#include "hal/base/json.hpp"

namespace berm {
namespace {

Status example() {
  Status status("agent");
  status.set("version", "0.1.0").set("waiting", 12).set("share", 0.5).set("ok", true);
  status.set_unknown("fix");
  Status uplink("flume \"1\"");
  uplink.set("sent", std::uint64_t{7});
  status.add(std::move(uplink));
  return status;
}

TEST(Status, BecomesOneJsonLineInItsOrder) {
  EXPECT_EQ(example().to_json(),
            "{\"version\":\"0.1.0\",\"waiting\":12,\"share\":0.5,\"ok\":true,\"fix\":null,"
            "\"flume \\\"1\\\"\":{\"sent\":7}}");
}

TEST(Status, PrettyJsonIsTheSameDocument) {
  const std::string pretty = example().to_json(true);
  EXPECT_NE(pretty.find("\n  \"waiting\": 12,\n"), std::string::npos);
  EXPECT_EQ(*Json::parse(pretty), *Json::parse(example().to_json()));
}

TEST(Status, ReadsBackByName) {
  const Status status = example();
  EXPECT_EQ(status.integer("waiting"), 12);
  EXPECT_EQ(status.number("waiting"), 12.0);
  EXPECT_EQ(status.number("share"), 0.5);
  EXPECT_EQ(status.text("version"), "0.1.0");
  ASSERT_NE(status.child("flume \"1\""), nullptr);
  EXPECT_EQ(status.child("flume \"1\"")->integer("sent"), 7);
}

TEST(Status, MissingOrOtherKindReadsAsNothing) {
  const Status status = example();
  EXPECT_EQ(status.integer("version"), 0);
  EXPECT_EQ(status.integer("absent"), 0);
  EXPECT_EQ(status.number("ok"), 0.0);
  EXPECT_EQ(status.text("waiting"), "");
  EXPECT_EQ(status.child("waiting"), nullptr);
  EXPECT_EQ(status.find("absent"), nullptr);
}

TEST(Status, SettingANameAgainReplacesIt) {
  Status status("x");
  status.set("a", 1).set("b", 2).set("a", 3);
  EXPECT_EQ(status.to_json(), "{\"a\":3,\"b\":2}");
}

}  // namespace
}  // namespace berm
