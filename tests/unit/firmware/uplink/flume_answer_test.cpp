// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/flume_answer.hpp"

#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"

namespace berm::uplink {
namespace {

// As Jetty in Flume 1.11 writes it.
std::string jetty_page(const std::string& message) {
  return "<html><head><title>Error</title></head><body><h2>HTTP ERROR</h2><table>"
         "<tr><th>URI:</th><td>/</td></tr><tr><th>MESSAGE:</th><td>" +
         message + "</td></tr></table></body></html>";
}

hal::HttpAnswer answer_of(int status, std::string body = {}, Microseconds elapsed = Seconds(5)) {
  hal::HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  answer.elapsed = elapsed;
  return answer;
}

TEST(FlumeAnswer, TwoHundredWithAnEmptyBodyIsDelivered) {
  EXPECT_EQ(read_flume_answer(answer_of(200), 100).verdict, Verdict::delivered);
}

TEST(FlumeAnswer, TwoHundredWithAPageIsACaptivePortal) {
  const Answer answer = read_flume_answer(answer_of(200, "<html>Please log in</html>"), 100);
  EXPECT_EQ(answer.verdict, Verdict::failed);
  EXPECT_NE(answer.reason.find("this is not Flume"), std::string::npos);
  EXPECT_EQ(read_flume_answer(answer_of(200, "\n"), 1).verdict, Verdict::failed);
}

struct Row {
  int status;
  Verdict verdict;
  bool can_set_aside;
  Trouble trouble;
};
class FlumeAnswerTable : public testing::TestWithParam<Row> {};

TEST_P(FlumeAnswerTable, EachStatusHasItsMeaning) {
  for (const std::size_t events : {1UL, 100UL}) {
    const Answer answer = read_flume_answer(answer_of(GetParam().status), events);
    EXPECT_EQ(answer.verdict, GetParam().verdict);
    EXPECT_EQ(answer.can_set_aside, GetParam().can_set_aside);
    EXPECT_EQ(answer.trouble, GetParam().trouble);
    EXPECT_NE(answer.reason.find(std::to_string(GetParam().status)), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Statuses, FlumeAnswerTable,
                         testing::Values(Row{201, Verdict::failed, false, Trouble::none},
                                         Row{202, Verdict::failed, false, Trouble::none},
                                         Row{204, Verdict::failed, false, Trouble::none},
                                         Row{206, Verdict::failed, false, Trouble::none},
                                         Row{100, Verdict::failed, false, Trouble::none},
                                         Row{301, Verdict::failed, false, Trouble::none},
                                         Row{302, Verdict::failed, false, Trouble::none},
                                         Row{307, Verdict::failed, false, Trouble::none},
                                         Row{308, Verdict::failed, false, Trouble::none},
                                         Row{400, Verdict::refused, true, Trouble::none},
                                         Row{401, Verdict::failed, false, Trouble::not_authorized},
                                         Row{402, Verdict::failed, false, Trouble::none},
                                         Row{403, Verdict::failed, false, Trouble::not_authorized},
                                         Row{404, Verdict::failed, false, Trouble::none},
                                         Row{405, Verdict::failed, false, Trouble::none},
                                         Row{407, Verdict::failed, false, Trouble::not_authorized},
                                         Row{408, Verdict::failed, false, Trouble::none},
                                         Row{413, Verdict::too_large, true, Trouble::none},
                                         Row{415, Verdict::failed, false, Trouble::none},
                                         Row{422, Verdict::failed, false, Trouble::none},
                                         Row{429, Verdict::busy, false, Trouble::none},
                                         Row{431, Verdict::too_large, false, Trouble::none},
                                         Row{500, Verdict::refused, false, Trouble::none},
                                         Row{501, Verdict::failed, false, Trouble::none},
                                         Row{502, Verdict::failed, false, Trouble::none},
                                         Row{503, Verdict::busy, false,
                                             Trouble::none},  // after 5 s
                                         Row{504, Verdict::failed, false, Trouble::none},
                                         Row{599, Verdict::failed, false, Trouble::none}),
                         [](const auto& row) { return "Http" + std::to_string(row.param.status); });

TEST(FlumeAnswer, A503ThatNamesThePutQueueIsTheBatchLimitHoweverLateItComes) {
  const std::string page =
      jetty_page("Put queue for MemoryTransaction of capacity 100 full, consider committing more");
  EXPECT_EQ(read_flume_answer(answer_of(503, page, Seconds(9)), 101).verdict, Verdict::too_large);
  EXPECT_EQ(read_flume_answer(answer_of(503, page, Seconds(9)), 2).verdict, Verdict::too_large);
}

TEST(FlumeAnswer, A503AtOnceForOneEventCannotBeTheBatchLimit) {
  const std::string page = jetty_page("Put queue for MemoryTransaction of capacity 0 full");
  EXPECT_EQ(read_flume_answer(answer_of(503, page, Microseconds(1)), 1).verdict, Verdict::busy);
  EXPECT_EQ(read_flume_answer(answer_of(503, {}, Microseconds(1)), 1).verdict, Verdict::busy);
}

TEST(FlumeAnswer, A503UnderASecondForSeveralIsTheLimitFromASecondOnTheChannelIsFull) {
  EXPECT_EQ(read_flume_answer(answer_of(503, {}, Microseconds(999'999)), 2).verdict,
            Verdict::too_large);
  EXPECT_EQ(read_flume_answer(answer_of(503, {}, Seconds(1)), 2).verdict, Verdict::busy);
  EXPECT_EQ(read_flume_answer(answer_of(503,
                                        jetty_page("Space for commit to queue couldn't be "
                                                   "acquired"),
                                        Seconds(3)),
                              100)
                .verdict,
            Verdict::busy);
}

TEST(FlumeAnswer, A503AtOnceWithRetryAfterIsAProxyNotTheBatchLimit) {
  hal::HttpAnswer answer = answer_of(503, {}, Microseconds(1000));
  answer.headers = {{"retry-after", "30"}};
  EXPECT_EQ(read_flume_answer(answer, 100).verdict, Verdict::busy);
  EXPECT_EQ(read_flume_answer(answer, 100).retry_after, Seconds(30));
}

TEST(FlumeAnswer, ReasonIsJettysOwnMessage) {
  EXPECT_EQ(
      read_flume_answer(answer_of(400, jetty_page("Request has invalid JSON Syntax.")), 1).reason,
      "HTTP 400: Request has invalid JSON Syntax.");
}

TEST(FlumeAnswer, ReasonIsTheFirstLineOfPlainText) {
  EXPECT_EQ(read_flume_answer(answer_of(502, "\n upstream is gone\nbye"), 1).reason,
            "HTTP 502: upstream is gone");
}

TEST(FlumeAnswer, ReasonOfAForeignPageIsTheStatusAlone) {
  EXPECT_EQ(read_flume_answer(answer_of(502, "<html><body>nginx</body></html>"), 1).reason,
            "HTTP 502");
  EXPECT_EQ(read_flume_answer(answer_of(400, "MESSAGE <td"), 1).reason, "HTTP 400");
}

TEST(FlumeAnswer, ReasonIsPrintableAndBounded) {
  const Answer answer =
      read_flume_answer(answer_of(400, jetty_page("\x1b[31m\xff" + std::string(5000, 'x'))), 1);
  EXPECT_LE(answer.reason.size(), kMaxReasonLength + 20);
  for (const char c : answer.reason) EXPECT_TRUE(c >= ' ' && c <= '~');
}

std::optional<Seconds> retry_after(std::string value, std::string date = {}) {
  hal::HttpAnswer answer = answer_of(429);
  answer.headers = {{"retry-after", std::move(value)}, {"date", std::move(date)}};
  return read_retry_after(answer);
}

TEST(FlumeAnswer, RetryAfterIsReadInSeconds) {
  EXPECT_EQ(retry_after("120"), Seconds(120));
  EXPECT_EQ(retry_after(" 7 "), Seconds(7));
  EXPECT_EQ(read_retry_after(answer_of(429)), std::nullopt);
}

TEST(FlumeAnswer, RetryAfterIsReadAsADateByTheServersOwnClock) {
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:51:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
            Seconds(120));
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:51:37 GMT"),
            std::nullopt);
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:51:37 GMT"), std::nullopt);
}

TEST(FlumeAnswer, RetryAfterIsBoundedAndNonsenseIsNone) {
  EXPECT_EQ(retry_after("3600"), Seconds(3600));
  EXPECT_EQ(retry_after("3601"), Seconds(3600));
  EXPECT_EQ(retry_after("999999999999"), Seconds(3600));
  for (const char* nonsense : {"0", "-1", "soon", "1.5", "Sun, 06 Xyz 1994 08:49:37 GMT",
                               "Sun, 99 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"}) {
    EXPECT_EQ(retry_after(nonsense, "Sun, 06 Nov 1994 08:40:00 GMT"), std::nullopt) << nonsense;
  }
}

TEST(FlumeAnswer, RetryAfterOfADeliveryMeansNothing) {
  hal::HttpAnswer answer = answer_of(200);
  answer.headers = {{"retry-after", "30"}};
  EXPECT_EQ(read_flume_answer(answer, 1).retry_after, std::nullopt);
}

}  // namespace
}  // namespace berm::uplink
