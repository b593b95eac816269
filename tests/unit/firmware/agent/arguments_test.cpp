// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/arguments.hpp"

#include <gtest/gtest.h>

namespace berm::agent {
namespace {

constexpr ArgumentSpec kSpecs[] = {{"--config", true}, {"--json"}, {"--socket", true, "-S"}};
using Given = std::vector<std::string_view>;

TEST(Arguments, OptionsSwitchesAndPlainWordsInAnyOrder) {
  const auto arguments =
      Arguments::parse(Given{"a", "--json", "-S", "/s", "--config=x=y", "-"}, kSpecs, 2);
  ASSERT_TRUE(arguments) << arguments.error().text;
  EXPECT_TRUE(arguments->has("--json"));
  EXPECT_EQ(arguments->value("--socket"), "/s");
  EXPECT_EQ(arguments->value("--config"), "x=y");
  EXPECT_EQ(arguments->plain(), (std::vector<std::string>{"a", "-"}));
}

TEST(Arguments, AnUnknownOptionNamesTheNearest) {
  const auto arguments = Arguments::parse(Given{"--confg", "x"}, kSpecs, 0);
  ASSERT_FALSE(arguments);
  EXPECT_NE(arguments.error().text.find("--config"), std::string::npos) << arguments.error().text;
}

TEST(Arguments, AMissingValueATakenValueAndOneWordTooManyAreErrors) {
  EXPECT_FALSE(Arguments::parse(Given{"--config"}, kSpecs, 0));
  EXPECT_FALSE(Arguments::parse(Given{"--json=1"}, kSpecs, 0));
  EXPECT_TRUE(Arguments::parse(Given{"a"}, kSpecs, 1));
  EXPECT_FALSE(Arguments::parse(Given{"a", "b"}, kSpecs, 1));
}

TEST(Arguments, TheOptionBeatsTheEnvironmentAndThatTheDefault) {
  const auto arguments = Arguments::parse(Given{"--config", "given"}, kSpecs, 0);
  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->value("--config", "PATH", "default"), "given");
  EXPECT_NE(arguments->value("--socket", "PATH", "default"), "default");
  EXPECT_EQ(arguments->value("--socket", "BERM_SURELY_NOT_SET", "default"), "default");
}

}  // namespace
}  // namespace berm::agent
