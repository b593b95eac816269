// SPDX-License-Identifier: Apache-2.0
#include "firmware/analytics/audit.hpp"

#include <gtest/gtest.h>

#include "hal/base/digest.hpp"
#include "hal/base/text.hpp"

namespace berm::analytics {
namespace {

std::string event(int seq, const char* extra = "", const char* stream = "traffic.lane") {
  return text_of(R"({"id":"n/e/%s/%d","v":1,"node":"n","epoch":"e","stream":"%s","seq":%d%s})",
                 stream, seq, stream, seq, extra);
}

std::string gap(int seq, const char* ranges, const char* cause) {
  const std::string extra =
      text_of(R"(,"of":"traffic.lane","of_epoch":"e","ranges":"%s","cause":"%s")", ranges, cause);
  return event(seq, extra.c_str(), "node.gap");
}

const StreamFinding* lane(const std::vector<StreamFinding>& findings) {
  for (const StreamFinding& finding : findings) {
    if (finding.stream == "traffic.lane") return &finding;
  }
  return nullptr;
}

TEST(Audit, AWholeSequenceInAnyOrderIsClean) {
  Audit audit;
  for (const int seq : {3, 1, 2}) audit.read_line(event(seq) + "\n");
  audit.read_line("");
  EXPECT_TRUE(audit.is_clean());
  const auto findings = audit.findings();
  EXPECT_EQ(lane(findings)->received, 3);
  EXPECT_EQ(lane(findings)->missing, 0);
}

TEST(Audit, AHoleIsMissingAndNamed) {
  Audit audit;
  for (const int seq : {1, 2, 5, 9}) audit.read_line(event(seq));
  EXPECT_FALSE(audit.is_clean());
  const auto findings = audit.findings();
  EXPECT_EQ(lane(findings)->missing, 5);
  EXPECT_EQ(lane(findings)->missing_ranges, "3-4 6-8");
}

TEST(Audit, AGapRecordExplainsAHole) {
  Audit audit;
  for (const int seq : {1, 2, 5}) audit.read_line(event(seq));
  audit.read_line(gap(1, "3-4", "merged"));
  EXPECT_TRUE(audit.is_clean());
  const auto findings = audit.findings();
  EXPECT_EQ(lane(findings)->explained, 2);
  EXPECT_EQ(lane(findings)->merged, 2);
}

TEST(Audit, AGapRecordOfWhatArrivedAllTheSameExplainsNothing) {
  Audit audit;
  for (const int seq : {1, 2, 3}) audit.read_line(event(seq));
  audit.read_line(gap(1, "2-", "damaged"));
  EXPECT_TRUE(audit.is_clean());
  const auto findings = audit.findings();
  EXPECT_EQ(lane(findings)->explained, 0);
}

TEST(Audit, ARepeatWithTheSameBytesIsFineAndAnotherOneIsNot) {
  Audit audit;
  audit.read_line(event(1));
  audit.read_line(event(1));
  EXPECT_TRUE(audit.is_clean());
  audit.read_line(event(1, R"(,"count":4)"));
  EXPECT_FALSE(audit.is_clean());
  const auto findings = audit.findings();
  EXPECT_EQ(lane(findings)->duplicate, 1);
  EXPECT_EQ(lane(findings)->differing, 1);
}

std::string manifest(int seq, int first, int last, int count, std::uint64_t sum) {
  const std::string extra = text_of(
      R"(,"of":"traffic.lane","of_epoch":"e","first":%d,"last":%d,"count":%d,"sum64":"%016llx")",
      first, last, count, static_cast<unsigned long long>(sum));
  return event(seq, extra.c_str(), "node.manifest");
}

TEST(Audit, AManifestHoldsOnlyForExactlyItsEvents) {
  const std::uint64_t sum = sum64_of(event(1)) + sum64_of(event(2));
  Audit audit;
  audit.read_line(event(1));
  audit.read_line(event(2));
  audit.read_line(manifest(1, 1, 2, 2, sum));
  EXPECT_TRUE(audit.is_clean());
  audit.read_line(manifest(2, 1, 2, 2, sum + 1));
  EXPECT_FALSE(audit.is_clean());
}

TEST(Audit, AManifestShowsWhatIsMissingAtTheEnd) {
  Audit audit;
  audit.read_line(event(1));
  audit.read_line(manifest(1, 1, 2, 2, sum64_of(event(1)) + sum64_of(event(2))));
  EXPECT_FALSE(audit.is_clean());
  const auto findings = audit.findings();
  EXPECT_EQ(lane(findings)->missing, 1);
}

std::string manifest_after(int seq, int first, int last, int count, std::uint64_t sum, int gaps,
                           const char* epoch = "e") {
  const std::string extra =
      text_of(R"(,"of":"traffic.lane","of_epoch":"e","first":%d,"last":%d,"count":%d,)"
              R"("sum64":"%016llx","gaps":%d)",
              first, last, count, static_cast<unsigned long long>(sum), gaps);
  std::string line = event(seq, extra.c_str(), "node.manifest");
  return line.replace(line.find(R"("epoch":"e")"), 11, text_of(R"("epoch":"%s")", epoch));
}

TEST(Audit, OnlyWhatWasClosedBeforeItIsLeftOutOfAManifest) {
  const std::uint64_t all = sum64_of(event(1)) + sum64_of(event(2)) + sum64_of(event(3));
  const std::uint64_t two = sum64_of(event(1)) + sum64_of(event(3));
  for (const bool is_before : {true, false}) {
    Audit audit;
    for (const int seq : {1, 2, 3}) audit.read_line(event(seq));
    audit.read_line(gap(1, "2-2", "refused"));
    audit.read_line(is_before ? manifest_after(1, 1, 3, 2, two, 1)
                              : manifest_after(1, 1, 3, 3, all, 0));
    EXPECT_TRUE(audit.is_clean()) << is_before;
    audit.read_line(is_before ? manifest_after(2, 1, 3, 2, two, 0)
                              : manifest_after(2, 1, 3, 3, all, 1));
    EXPECT_FALSE(audit.is_clean());
  }
}

TEST(Audit, WhatALaterRecordExplainsIsNotHeldAgainstAManifest) {
  Audit audit;
  audit.read_line(event(1));
  audit.read_line(gap(1, "2-2", "retention"));
  audit.read_line(manifest_after(1, 1, 2, 2, sum64_of(event(1)) + 77, 0));
  EXPECT_TRUE(audit.is_clean());
  audit.read_line(manifest_after(2, 3, 4, 1, 5, 0));
  EXPECT_FALSE(audit.is_clean()) << "but what is missing is";
}

TEST(Audit, ManifestsThatOverlapOrLeaveAHoleAreBroken) {
  for (const int second : {2, 3, 4}) {
    Audit audit;
    for (int seq = 1; seq <= 5; ++seq) audit.read_line(event(seq));
    audit.read_line(manifest_after(1, 1, 2, 2, sum64_of(event(1)) + sum64_of(event(2)), 0));
    std::uint64_t sum = 0;
    for (int seq = second; seq <= 5; ++seq) sum += sum64_of(event(seq));
    audit.read_line(manifest_after(2, second, 5, 6 - second, sum, 0));
    EXPECT_EQ(audit.is_clean(), second == 3) << second;
  }
}

TEST(Audit, AManifestOfALaterEpochKnowsTheRecordsOfTheOneBefore) {
  Audit audit;
  for (const int seq : {1, 2, 3}) audit.read_line(event(seq));
  audit.read_line(gap(1, "2-2", "refused"));
  std::string epoch = event(1, R"(,"previous":"e","reason":"node renamed")", "node.epoch");
  epoch.replace(epoch.find(R"("epoch":"e")"), 11, R"("epoch":"f")");
  audit.read_line(epoch);
  audit.read_line(manifest_after(1, 1, 3, 2, sum64_of(event(1)) + sum64_of(event(3)), 0, "f"));
  EXPECT_TRUE(audit.is_clean());
}

TEST(Audit, AMergeIsExplainedOnlyWhereWhatItWentIntoIsThere) {
  const auto merged = [](const char* into) {
    const std::string extra = text_of(R"(,"of":"traffic.lane","of_epoch":"e","ranges":"1-3",)"
                                      R"("cause":"merged","vehicles":0,"into":"%s")",
                                      into);
    return event(1, extra.c_str(), "node.gap");
  };
  Audit audit;
  audit.read_line(merged("n/e/traffic.lane/4"));
  EXPECT_FALSE(audit.is_clean());
  EXPECT_EQ(lane(audit.findings())->into_missing, 1);
  EXPECT_EQ(lane(audit.findings())->missing_ranges, "4-4") << "its sequence is known by that";
  audit.read_line(event(4, R"(,"count":12)"));
  EXPECT_TRUE(audit.is_clean());
  EXPECT_EQ(lane(audit.findings())->into_received, 1);
  EXPECT_EQ(lane(audit.findings())->vehicles, 12);
  EXPECT_EQ(lane(audit.findings())->vehicles_lost, 0);
}

TEST(Audit, AMergeMayNameARangeOfEvents) {
  Audit audit;
  audit.read_line(event(1,
                        R"(,"of":"traffic.lane","of_epoch":"e","ranges":"1-30",)"
                        R"("cause":"merged","vehicles":0,"into":"n/e/traffic.lane/31-33")",
                        "node.gap"));
  audit.read_line(event(31, R"(,"count":12)"));
  EXPECT_EQ(lane(audit.findings())->into_received, 1);
  EXPECT_EQ(lane(audit.findings())->into_missing, 2);
  EXPECT_EQ(lane(audit.findings())->missing_ranges, "32-33");
  audit.read_line(event(2,
                        R"(,"of":"traffic.lane","of_epoch":"e","ranges":"31-32",)"
                        R"("cause":"merged","vehicles":0,"into":"n/e/traffic.lane/34")",
                        "node.gap"));
  audit.read_line(event(33, R"(,"count":1)"));
  audit.read_line(event(34, R"(,"count":1)"));
  EXPECT_EQ(lane(audit.findings())->into_received, 3);
  EXPECT_EQ(lane(audit.findings())->into_explained, 1);
  EXPECT_EQ(lane(audit.findings())->into_missing, 0);
  EXPECT_TRUE(audit.is_clean());
  audit.read_line(event(3,
                        R"(,"of":"traffic.lane","of_epoch":"e","ranges":"1-1",)"
                        R"("cause":"merged","vehicles":0,"into":"n/e/traffic.lane/35-")",
                        "node.gap"));
  EXPECT_FALSE(audit.is_clean()) << "into an open range";
}

TEST(Audit, VehiclesLostAreThoseOfTheRecordsLessWhatArrived) {
  Audit audit;
  audit.read_line(event(1, R"(,"count":5)"));
  audit.read_line(event(2, R"(,"count":7)"));
  audit.read_line(event(1,
                        R"(,"of":"traffic.lane","of_epoch":"e","ranges":"2-4","cause":"full",)"
                        R"("vehicles":20)",
                        "node.gap"));
  EXPECT_EQ(lane(audit.findings())->vehicles, 12);
  EXPECT_EQ(lane(audit.findings())->vehicles_lost, 13);
  audit.read_line(event(2,
                        R"(,"of":"traffic.lane","of_epoch":"e","ranges":"9-","cause":"damaged",)"
                        R"("vehicles":null)",
                        "node.gap"));
  EXPECT_FALSE(lane(audit.findings())->vehicles_lost.has_value()) << "unknown";
}

TEST(Audit, ARecordAboutAnotherReceiverExplainsNothingToThisOne) {
  const std::string record = event(
      1,
      R"(,"of":"traffic.lane","of_epoch":"e","ranges":"2-2","cause":"full","uplink":"stick usb")",
      "node.gap");
  for (const char* uplink : {"", "stick", "flume"}) {
    Audit audit(uplink);
    for (const int seq : {1, 3}) audit.read_line(event(seq));
    audit.read_line(record);
    EXPECT_EQ(audit.is_clean(), std::string_view(uplink) != "flume") << uplink;
  }
}

TEST(Audit, WhatIsMissingCanBeAskedForInCommandsOfBoundedLength) {
  Audit audit;
  for (int seq = 2; seq <= 200; seq += 2) audit.read_line(event(seq));
  const auto commands = resend_commands(audit.findings(), "flume");
  ASSERT_EQ(commands.size(), 3u) << "100 holes";
  EXPECT_TRUE(commands[0].command.starts_with("resend e/traffic.lane 1-1 3-3 "));
  EXPECT_TRUE(commands[2].command.ends_with(" 199-199 flume")) << commands[2].command;
  EXPECT_EQ(commands[0].node, "n");
  EXPECT_TRUE(resend_commands({}, "").empty());
}

TEST(Audit, ALineThatIsNoEventIsUnreadable) {
  for (const char* line : {"{", "[]", "{}", R"({"node":"n","epoch":"e","stream":"s","seq":0})",
                           R"({"node":"n","epoch":"e","stream":"s","seq":1.5})"}) {
    Audit audit;
    audit.read_line(line);
    EXPECT_EQ(audit.unreadable(), 1) << line;
    EXPECT_FALSE(audit.is_clean());
  }
}

}  // namespace
}  // namespace berm::analytics
