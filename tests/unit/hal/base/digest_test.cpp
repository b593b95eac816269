// SPDX-License-Identifier: Apache-2.0
#include "hal/base/digest.hpp"

#include <gtest/gtest.h>

namespace berm {
namespace {

TEST(Digest, Sha256HasTheValuesOfFips180) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, Sum64IsTheFirstEightBytesBigEndian) {
  EXPECT_EQ(sum64_of("abc"), 0xba7816bf8f01cfeaULL);
}

}  // namespace
}  // namespace berm
