// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/http_transport.hpp"

#include <gtest/gtest.h>

#include "hal/base/json.hpp"
#include "hal/sim/http_client.hpp"
#include "hal/sim/loop.hpp"

namespace berm::uplink {
namespace {

struct HttpTransportTest : testing::Test {
  HttpTransportTest() {
    hal::serve_http(network, "flume:9260", [this](const hal::HttpRequest& request) {
      requests.push_back(request);
      return reply;
    });
    reply.answer.status = 200;
  }
  HttpTransportOptions options() const {
    return {.url = "http://flume:9260/", .headers = codec::EventHeaders("e19", {})};
  }
  event::Event event(std::int64_t seq) const {
    event::Event event;
    event.schema = event::find_schema("traffic.lane");
    event.epoch = "k3v9x2m8q1";
    event.seq = seq;
    event.line = "{\"lane\":\"é\"}";
    return event;
  }
  // Sends two events and waits for what comes of it.
  Answer send(HttpTransport& transport) {
    const event::Event first = event(1);
    const event::Event second = event(2);
    std::optional<Answer> got;
    transport.open({});
    EXPECT_TRUE(transport.is_ready());
    transport.send({{&first, "live"}, {&second, "live"}}, [&](Answer answer) { got = answer; });
    EXPECT_FALSE(got.has_value());
    loop.run_for(Seconds(100));
    EXPECT_TRUE(got.has_value());
    return got.value_or(Answer{});
  }

  hal::SimLoop loop;
  hal::SimNetwork network{loop};
  hal::SimHttpClient client{network};
  hal::SimHttpReply reply;
  std::vector<hal::HttpRequest> requests;
};

TEST_F(HttpTransportTest, PostsTheBatchAsUtf8Json) {
  HttpTransportOptions wanted = options();
  wanted.extra_headers = {{"X-Site", "E19"}};
  wanted.user = "u";
  wanted.password = "p";
  HttpTransport transport(std::move(wanted), loop, client);
  EXPECT_EQ(send(transport).verdict, Verdict::delivered);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].url, "http://flume:9260/");
  EXPECT_EQ(requests[0].user, "u");
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"X-Site", "E19"}, {"Content-Type", "application/json; charset=utf-8"}};
  EXPECT_EQ(requests[0].headers, headers);
  const auto body = Json::parse(requests[0].body);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->array().size(), 2U);
  EXPECT_EQ(body->array()[1].find("body")->string(), event(2).line);
}

TEST_F(HttpTransportTest, ReadsAnswersByTheTable) {
  HttpTransport transport(options(), loop, client);
  reply.answer.status = 400;
  EXPECT_EQ(send(transport).verdict, Verdict::refused);
  reply.answer.status = 200;
  reply.answer.body = "<html>log in</html>";
  EXPECT_EQ(send(transport).verdict, Verdict::failed);
}

TEST_F(HttpTransportTest, A503AtOnceIsTheBatchLimitAfterThreeSecondsItIsNot) {
  HttpTransport transport(options(), loop, client);
  reply.answer.status = 503;
  EXPECT_EQ(send(transport).verdict, Verdict::too_large);
  reply.delay = Seconds(3);
  EXPECT_EQ(send(transport).verdict, Verdict::busy);
}

TEST_F(HttpTransportTest, NobodyThereIsFailedWithTheReason) {
  HttpTransport transport(options(), loop, client);
  network.stop_listening("flume:9260");
  const Answer answer = send(transport);
  EXPECT_EQ(answer.verdict, Verdict::failed);
  EXPECT_FALSE(answer.timed_out);
  EXPECT_FALSE(answer.reason.empty());
}

TEST_F(HttpTransportTest, ACertificateThatIsNotTrustedSaysSo) {
  HttpTransportOptions wanted = options();
  wanted.url = "https://flume:9260/";
  hal::SimLink link;
  link.is_untrusted = true;
  network.set_link("flume:9260", link);
  HttpTransport transport(std::move(wanted), loop, client);
  EXPECT_EQ(send(transport).trouble, Trouble::certificate);
}

TEST_F(HttpTransportTest, HalfAnAnswerIsFailed) {
  HttpTransport transport(options(), loop, client);
  reply.ending = hal::SimHttpReply::Ending::half;
  reply.answer.body = "half of this";
  EXPECT_EQ(send(transport).verdict, Verdict::failed);
}

TEST_F(HttpTransportTest, NoAnswerInTimeSaysSo) {
  HttpTransport transport(options(), loop, client);
  reply.ending = hal::SimHttpReply::Ending::silent;
  const Answer answer = send(transport);
  EXPECT_EQ(answer.verdict, Verdict::failed);
  EXPECT_TRUE(answer.timed_out);
}

TEST_F(HttpTransportTest, AConnectionThatCannotBeMadeDoesNotBlameTheSize) {
  HttpTransport transport(options(), loop, client);
  hal::SimLink link;
  link.stall = true;
  network.set_link("flume:9260", link);
  const Answer answer = send(transport);
  EXPECT_EQ(answer.verdict, Verdict::failed);
  EXPECT_FALSE(answer.timed_out);
}

TEST_F(HttpTransportTest, CloseCancelsWhatIsUnderWay) {
  HttpTransport transport(options(), loop, client);
  transport.open({});
  const event::Event one = event(1);
  bool is_answered = false;
  transport.send({{&one, "live"}}, [&](const Answer&) { is_answered = true; });
  transport.close();
  EXPECT_FALSE(transport.is_ready());
  loop.run_for(Seconds(100));
  EXPECT_FALSE(is_answered);
}

TEST_F(HttpTransportTest, DestructionCancelsWhatIsUnderWay) {
  bool is_answered = false;
  {
    HttpTransport transport(options(), loop, client);
    transport.open({});
    const event::Event one = event(1);
    transport.send({{&one, "live"}}, [&](const Answer&) { is_answered = true; });
  }
  loop.run_for(Seconds(100));
  EXPECT_FALSE(is_answered);
}

TEST_F(HttpTransportTest, AnEventOverAMegabyteIsFaulty) {
  const HttpTransport transport(options(), loop, client);
  event::Event large = event(1);
  large.line.assign(1'000'000, 'x');
  EXPECT_EQ(transport.fault_of(large), "");
  large.line.push_back('x');
  EXPECT_NE(transport.fault_of(large), "");
}

}  // namespace
}  // namespace berm::uplink
