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
