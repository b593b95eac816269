// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/file_transport.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "hal/sim/clock.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/executor.hpp"
#include "hal/sim/loop.hpp"

namespace berm::uplink {
namespace {

struct FileTransportTest : testing::Test {
  FileTransportTest() {
    disk.prepare_directory("/media/usb");
    disk.set_mount_point("/media/usb", true);
    make();
  }
  void make() {
    FileTransportOptions options{.journal = {.directory = "/media/usb"},
                                 .headers = codec::EventHeaders("e19", {})};
    transport = std::make_unique<FileTransport>(std::move(options),
                                                FileTransportParts{loop, executor, disk, clock});
    transport->open({});
  }
  void send() {
    event::Event first;
    first.schema = event::find_schema("traffic.lane");
    first.line = "{\"seq\":1}";
    event::Event second = first;
    second.line = "{\"seq\":2}";
    transport->send({{&first, "live"}, {&second, "live"}}, [this](Answer got) { answer = got; });
  }
  std::string text() {
    return disk.read("/media/usb/2027-01-15/08.jsonl", 1u << 20).value_or("(none)");
  }

  hal::SimLoop loop;
  hal::SimClock clock{loop};
  hal::SimDisk disk;
  hal::SimExecutor executor{loop, {.max_queued = 2, .latency = Milliseconds(20)}};
  std::unique_ptr<FileTransport> transport;
  std::optional<Answer> answer;
};

TEST_F(FileTransportTest, DeliveredMeansSyncedNotSubmitted) {
  send();
  EXPECT_FALSE(answer.has_value());
  loop.run_for(Milliseconds(19));
  EXPECT_FALSE(answer.has_value());
  loop.run_for(Milliseconds(1));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->verdict, Verdict::delivered);
  EXPECT_EQ(text(), "{\"seq\":1}\n{\"seq\":2}\n");
}

TEST_F(FileTransportTest, AStickThatIsGoneIsFailedWithTheReason) {
  disk.set_mount_point("/media/usb", false);
  send();
  loop.run_for(Seconds(1));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->verdict, Verdict::failed);
  EXPECT_NE(answer->reason.find("is the stick plugged in?"), std::string::npos);
}

TEST_F(FileTransportTest, AFullExecutorIsFailedNotInsideTheCall) {
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(executor.submit([] {}, [] {}));
  send();
  EXPECT_FALSE(answer.has_value());
  loop.run_for(Microseconds(0));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->verdict, Verdict::failed);
}

TEST_F(FileTransportTest, AJobOutlivesItsTransport) {
  send();
  transport.reset();
  loop.run_for(Seconds(1));
  EXPECT_FALSE(answer.has_value());
  EXPECT_EQ(text(), "{\"seq\":1}\n{\"seq\":2}\n");
}

TEST_F(FileTransportTest, AnAnswerFromBeforeACloseIsNotGiven) {
  send();
  transport->close();
  transport->open({});
  loop.run_for(Seconds(1));
  EXPECT_FALSE(answer.has_value());
  send();
  loop.run_for(Seconds(1));
  EXPECT_TRUE(answer.has_value());
}

TEST_F(FileTransportTest, OneBatchAtATime) {
  EXPECT_EQ(transport->limits().max_in_flight, 1U);
  EXPECT_EQ(transport->status().text("endpoint"), "/media/usb");
}

}  // namespace
}  // namespace berm::uplink
