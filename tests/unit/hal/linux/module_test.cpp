// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/module.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/hal/linux/scratch_directory.hpp"

namespace berm::hal {
namespace {

TEST(Module, AModuleOfThisBuildIsLoaded) {
  const auto entry = load_module(BERM_TEST_MODULE_good, "berm_test_answer");
  ASSERT_TRUE(entry) << entry.error().text;
  EXPECT_EQ(reinterpret_cast<int (*)()>(*entry)(), 42);
}

TEST(Module, AModuleOfAnotherBuildIsRefusedWithBothNames) {
  const auto entry = load_module(BERM_TEST_MODULE_foreign, "berm_test_answer");
  ASSERT_FALSE(entry);
  EXPECT_EQ(entry.error().code, ErrorCode::unsupported);
  EXPECT_NE(entry.error().text.find("0.0.1-old"), std::string::npos);
  EXPECT_NE(entry.error().text.find(kBuildId), std::string::npos);
}

TEST(Module, AMissingEntryIsSaid) {
  const auto entry = load_module(BERM_TEST_MODULE_good, "berm_no_such_entry");
  ASSERT_FALSE(entry);
  EXPECT_EQ(entry.error().code, ErrorCode::damaged);
}

TEST(Module, AMissingFileIsNotFoundAndAnotherFileDamaged) {
  const ScratchDirectory scratch;
  EXPECT_EQ(load_module(scratch / "no.so", "x").error().code, ErrorCode::not_found);
  std::ofstream(scratch / "text.so") << "no program";
  EXPECT_EQ(load_module(scratch / "text.so", "x").error().code, ErrorCode::damaged);
}

TEST(Module, ALibraryThatIsNoModuleIsDamaged) {
  const auto entry = load_module("/proc/self/exe", "main");
  ASSERT_FALSE(entry);
  EXPECT_EQ(entry.error().code, ErrorCode::damaged);
}

}  // namespace
}  // namespace berm::hal
