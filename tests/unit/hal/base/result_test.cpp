// SPDX-License-Identifier: Apache-2.0
#include "hal/base/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace berm {
namespace {

Result<int> halve(int value) {
  if (value % 2 != 0) return fail(ErrorCode::invalid, "odd");
  return value / 2;
}

Result<int> quarter(int value) {
  BERM_TRY(const int half, halve(value));
  BERM_TRY(const int result, halve(half));
  return result;
}

Result<void> only_even(int value) {
  BERM_CHECK(halve(value));
  return {};
}

TEST(Result, TryPassesTheValueOn) {
  EXPECT_EQ(*quarter(12), 3);
}

TEST(Result, TryReturnsTheFirstError) {
  const auto result = quarter(6);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "odd");
}

TEST(Result, CheckOfAVoidResultKeepsTheError) {
  EXPECT_TRUE(only_even(2));
  EXPECT_EQ(only_even(3).error().code, ErrorCode::invalid);
}

TEST(Result, CopyOfABoolResultKeepsItsValue) {
  Result<bool> no = false;
  Result<bool> copy(no);
  ASSERT_TRUE(copy.has_value());
  EXPECT_FALSE(*copy);
}

TEST(Result, HoldsWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 7);
}

TEST(Error, ContextStandsInFront) {
  const Error error = Error{ErrorCode::io, "short write", 0}.with_context("outbox");
  EXPECT_EQ(error.text, "outbox: short write");
}

TEST(Error, OfErrnoHasCodeNumberAndReason) {
  const Error error = system_error("opening /x", EACCES);
  EXPECT_EQ(error.code, ErrorCode::permission);
  EXPECT_EQ(error.system_error, EACCES);
  EXPECT_EQ(error.text, "opening /x: permission denied");
  EXPECT_EQ(system_error("w", ENOSPC).code, ErrorCode::full);
  EXPECT_EQ(system_error("r", EIO).code, ErrorCode::io);
  EXPECT_EQ(system_error("o", ENOENT).code, ErrorCode::not_found);
}

TEST(Error, EveryCodeHasAName) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::closed); ++code) {
    EXPECT_NE(name_of(static_cast<ErrorCode>(code)), "unknown") << code;
  }
}

}  // namespace
}  // namespace berm
