// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/mqtt_answer.hpp"

#include <gtest/gtest.h>

#include <set>

#include "firmware/uplink/limits.hpp"

namespace berm::uplink {
namespace {

TEST(MqttAnswer, EveryReasonCodeOfAPubackHasItsMeaning) {
  const std::set<int> refused = {144, 149, 153};
  for (int reason = 0; reason < 256; ++reason) {
    const Answer answer = read_puback(reason, false);
    if (reason < 128 && reason != 16) {
      EXPECT_EQ(answer.verdict, Verdict::delivered) << reason;
    } else if (refused.contains(reason)) {
      EXPECT_EQ(answer.verdict, Verdict::refused) << reason;
    } else {
      EXPECT_EQ(answer.verdict, Verdict::failed) << reason;
    }
    EXPECT_EQ(answer.can_set_aside, refused.contains(reason)) << reason;
  }
}

TEST(MqttAnswer, NobodySubscribedHoldsUnlessToldToPass) {
  EXPECT_EQ(read_puback(16, false).verdict, Verdict::failed);
  EXPECT_EQ(read_puback(16, false).trouble, Trouble::no_subscriber);
  EXPECT_EQ(read_puback(16, true).verdict, Verdict::delivered);
}

TEST(MqttAnswer, PassConcernsNothingButSixteen) {
  EXPECT_EQ(read_puback(128, true).verdict, Verdict::failed);
  EXPECT_EQ(read_puback(135, true).verdict, Verdict::failed);
}

TEST(MqttAnswer, NotAuthorizedSaysSo) {
  EXPECT_EQ(read_puback(135, false).trouble, Trouble::not_authorized);
  EXPECT_EQ(read_puback(135, false).reason, "MQTT 135 not authorized");
}

TEST(MqttAnswer, ConnackAboutCredentialsSaysSo) {
  for (const int reason : {133, 134, 135, 138, 140}) {
    EXPECT_EQ(read_connack(reason).trouble, Trouble::not_authorized) << reason;
  }
  for (const int reason : {128, 136, 137, 151, 159, 200}) {
    EXPECT_EQ(read_connack(reason).trouble, Trouble::none) << reason;
  }
}

TEST(MqttAnswer, ATakeoverStaysAwayLong) {
  const Loss loss = read_disconnect({ErrorCode::closed, "closed"}, 142);
  EXPECT_EQ(loss.trouble, Trouble::identity_used_twice);
  EXPECT_EQ(loss.wait, kTakeoverWait);
}

TEST(MqttAnswer, ADisconnectForSizeBlamesWhatWasSent) {
  EXPECT_TRUE(read_disconnect({ErrorCode::closed, "closed"}, 149).too_large);
  EXPECT_FALSE(read_disconnect({ErrorCode::closed, "closed"}, 139).too_large);
}

TEST(MqttAnswer, ALossWithoutReasonHasTheErrorsWords) {
  EXPECT_EQ(read_disconnect({ErrorCode::unavailable, "connection refused"}, 0).reason,
            "connection refused");
  EXPECT_EQ(read_disconnect({ErrorCode::permission, "certificate has expired"}, 0).trouble,
            Trouble::certificate);
}

TEST(MqttAnswer, ReasonsHaveNames) {
  EXPECT_EQ(name_of_reason(149), "149 packet too large");
  EXPECT_EQ(name_of_reason(222), "222 unknown reason");
}

}  // namespace
}  // namespace berm::uplink
