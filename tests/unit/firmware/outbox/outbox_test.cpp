// SPDX-License-Identifier: Apache-2.0
// The outbox's promises in the plain case: commits, order, delivery, restarts.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

using outbox::Settlement;

std::vector<std::string> ids(const std::vector<event::Event>& events) {
  std::vector<std::string> all;
  for (const event::Event& event : events) all.push_back(id_of(event));
  return all;
}

TEST(Outbox, FirstEventOfANewOutboxIsItsEpoch) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  const std::string epoch = bed.outbox().epoch();
  EXPECT_GE(epoch.size(), 10u);
  EXPECT_LE(epoch.size(), 16u);
  EXPECT_EQ(epoch.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"), std::string::npos);
  const auto events = bed.drain(0);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].schema->name, "node.epoch");
  EXPECT_EQ(field_of(events[0], "id"), "e19-km31/" + epoch + "/node.epoch/1");
  EXPECT_EQ(field_of(events[0], "previous"), "null");
  EXPECT_EQ(field_of(events[0], "reason"), "created");
}

TEST(Outbox, AppendedEventIsAcknowledgedAfterItsGroupTimeAndThenDelivered) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  bool is_durable = false;
  ASSERT_TRUE(bed.append_lane(7, [&] { is_durable = true; }));
  bed.run_for(Milliseconds{999});
  EXPECT_FALSE(is_durable);
  EXPECT_EQ(bed.outbox().waiting(0), 0);
  bed.run_for(Milliseconds{2});
  EXPECT_TRUE(is_durable);
  EXPECT_EQ(bed.outbox().waiting(0), 1);
  const auto batch = bed.take(0);
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->events.size(), 1u);
  EXPECT_FALSE(batch->more);
  EXPECT_EQ(field_of(batch->events[0], "count"), "7");
  EXPECT_EQ(batch->events[0].key, "92301");
  EXPECT_TRUE(batch->events[0].made_ms.has_value());
  EXPECT_EQ(bed.outbox().waiting(0), 1) << "in flight still waits";
  bed.settle(0, batch->events);
  EXPECT_EQ(bed.outbox().waiting(0), 0);
}

TEST(Outbox, AlarmIsCommittedAtOnceAndTakesEverythingPendingAlong) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  int durable = 0;
  ASSERT_TRUE(bed.append_vehicle([&] { ++durable; }));  // group 60000
  ASSERT_TRUE(bed.append_row("node.alarm", [&] { ++durable; }));
  bed.run_for(Milliseconds{1});
  EXPECT_EQ(durable, 2);
}

TEST(Outbox, EventsInFlightAreNotTakenAgainUntilTheyComeBack) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  for (int i = 1; i <= 5; ++i) bed.append_lane(i);
  bed.run_for(Seconds{2});
  const auto first = bed.take(0, {.max_events = 2});
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->more);
  const auto second = bed.take(0, {.max_events = 2});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->events[0].seq, 3);
  bed.settle(0, first->events, Settlement::returned);
  const auto again = bed.take(0, {.max_events = 5});
  ASSERT_TRUE(again);
  ASSERT_EQ(again->events.size(), 3u);
  EXPECT_EQ(again->events[0].seq, 1);
  EXPECT_EQ(again->events[0].line, first->events[0].line);
  EXPECT_EQ(again->events[2].seq, 5);
  bed.outbox().return_all(0);
  EXPECT_EQ(bed.drain(0).size(), 5u);
}

// An uplink that a new configuration replaces leaves its last take behind.
TEST(Outbox, WhoTakesTheirPlaceMayTakeWhileTheOneBeforeIsUnderWay) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  for (int i = 1; i <= 3; ++i) bed.append_lane(i);
  bed.run_for(Seconds{2});
  int told_before = 0;
  bed.outbox().take(0, {.max_events = 2}, [&](const Result<outbox::Batch>&) { ++told_before; });
  bed.outbox().return_all(0);
  const auto batch = bed.take(0, {.max_events = 5});
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->events.size(), 3u);
  EXPECT_EQ(batch->events[0].seq, 1);
  EXPECT_EQ(told_before, 0);
}

TEST(Outbox, BatchesKeepToTheirLimitsAndOneEventAlwaysFits) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  for (int i = 0; i < 10; ++i) bed.append_lane(i);
  bed.run_for(Seconds{2});
  auto batch = bed.take(0, {.max_events = 10, .max_bytes = 1});
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->events.size(), 1u);
  const std::size_t line = batch->events[0].line.size();
  batch = bed.take(0, {.max_events = 10, .max_bytes = 3 * line});
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->events.size(), 3u);
  batch = bed.take(0, {.max_events = 10, .max_bytes = 3 * line - 1});
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->events.size(), 2u);
}

TEST(Outbox, OneStreamBatchesHoldOneStream) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  for (int i = 0; i < 3; ++i) {
    bed.append_lane(i);
    bed.append_row("node.health");
    bed.run_for(Seconds{2});
  }
  std::size_t events = 0;
  while (true) {
    const auto batch = bed.take(0, {.max_events = 10, .one_stream = true});
    ASSERT_TRUE(batch);
    if (batch->events.empty()) break;
    events += batch->events.size();
    for (const event::Event& event : batch->events) {
      EXPECT_EQ(event.schema, batch->events[0].schema);
    }
    bed.settle(0, batch->events);
  }
  EXPECT_EQ(events, 6u);
}

TEST(Outbox, OrderIsThatOfCommitAcrossStreams) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  std::vector<std::string> expected;
  for (int i = 1; i <= 20; ++i) {
    const bool is_lane = i % 3 != 0;
    if (is_lane) {
      bed.append_lane(i);
    } else {
      bed.append_row("node.health");
    }
    expected.push_back(is_lane ? "traffic.lane" : "node.health");
    bed.run_for(Seconds{2});
  }
  std::vector<std::string> got;
  for (const event::Event& event : bed.drain(0, {.max_events = 3})) {
    got.emplace_back(event.schema->name);
  }
  EXPECT_EQ(got, expected);
}

TEST(Outbox, UplinksAreIndependentAndSeeOnlyTheirStreams) {
  OutboxBed bed;
  bed.options.uplinks = {{.name = "all"}, {.name = "lanes", .streams = {"traffic.l*"}}};
  ASSERT_TRUE(bed.open());
  bed.append_lane(1);
  bed.append_row("node.health");
  bed.run_for(Seconds{2});
  EXPECT_EQ(bed.outbox().waiting(0), 3);
  EXPECT_EQ(bed.outbox().waiting(1), 1);
  EXPECT_EQ(bed.drain(1).size(), 1u);
  EXPECT_EQ(bed.outbox().waiting(0), 3);
  EXPECT_EQ(bed.drain(0).size(), 3u);
}

TEST(Outbox, WhatWasDeliveredStaysDeliveredAfterAnOrderlyRestart) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  for (int i = 1; i <= 10; ++i) bed.append_lane(i);
  bed.run_for(Seconds{2});
  const std::string epoch = bed.outbox().epoch();
  const auto batch = bed.take(0, {.max_events = 4});  // the epoch and three
  ASSERT_TRUE(batch);
  bed.settle(0, batch->events);
  bed.close();
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.outbox().epoch(), epoch);
  EXPECT_EQ(bed.outbox().waiting(0), 7);
  const auto rest = bed.drain(0);
  ASSERT_EQ(rest.size(), 7u);
  EXPECT_EQ(rest[0].seq, 4);
}

TEST(Outbox, AfterAKillEventsRepeatWithTheSameBytesAndNoneIsLost) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  for (int i = 1; i <= 10; ++i) bed.append_lane(i);
  bed.run_for(Seconds{2});
  const auto before = bed.drain(0);
  bed.kill();
  ASSERT_TRUE(bed.open());
  const auto after = bed.drain(0);
  ASSERT_EQ(ids(after), ids(before));
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i].line, before[i].line);
  bed.append_lane(11);
  bed.run_for(Seconds{2});
  EXPECT_EQ(bed.drain(0)[0].seq, 11);
}

TEST(Outbox, DeliveryStateIsWrittenWithoutCommitsAfterItsDelay) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.append_lane(1);
  bed.run_for(Seconds{2});
  EXPECT_EQ(bed.drain(0).size(), 2u);
  bed.run_for(Seconds{121});
  bed.kill();
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.outbox().waiting(0), 0);
}

TEST(Outbox, AnUplinkAddedLaterGetsWhatTheOthersStillWaitFor) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  for (int i = 1; i <= 4; ++i) bed.append_lane(i);
  bed.run_for(Seconds{2});
  const auto batch = bed.take(0, {.max_events = 3});
  ASSERT_TRUE(batch);
  bed.settle(0, batch->events);
  bed.close();
  bed.options.uplinks.push_back({.name = "broker"});
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.outbox().waiting(0), 2);
  EXPECT_EQ(bed.outbox().waiting(1), 2);
  bed.close();
  bed.options.uplinks = {{.name = "third"}};
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.outbox().waiting(0), 2);
}

TEST(Outbox, CheckpointComesBackWithWhatWasAppendedBeforeIt) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.append_lane(1);
  bed.outbox().checkpoint("e19", "state 1");
  EXPECT_EQ(bed.outbox().checkpointed("e19"), "state 1");
  bed.kill();
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.outbox().checkpointed("e19"), "") << "neither was committed";
  bed.append_lane(1);
  bed.outbox().checkpoint("e19", std::string("state\0 2", 8));
  bed.run_for(Seconds{2});
  bed.kill();
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.outbox().checkpointed("e19"), std::string("state\0 2", 8));
  EXPECT_EQ(only(bed.drain(0), "traffic.lane").size(), 1u);
}

TEST(Outbox, LoneCheckpointIsWrittenAfterAWhile) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.outbox().checkpoint("e19", "alone");
  bed.run_for(Seconds{121});
  bed.kill();
  ASSERT_TRUE(bed.open());
  EXPECT_EQ(bed.outbox().checkpointed("e19"), "alone");
}

TEST(Outbox, RefusedEventIsSetAsideExplainedAndCanBeQueuedAgain) {
  OutboxBed bed;
  bed.options.uplinks = {{.name = "flume"}, {.name = "broker"}};
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  bed.append_lane(5);
  bed.append_lane(6);
  bed.run_for(Seconds{2});
  const auto batch = bed.take(0, {.max_events = 1});
  ASSERT_TRUE(batch);
  bed.settle(0, batch->events, Settlement::refused);
  bed.run_for(Seconds{1});
  const auto rest = bed.drain(0);
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[0].seq, 2);
  EXPECT_EQ(field_of(rest[1], "of"), "traffic.lane");
  EXPECT_EQ(field_of(rest[1], "ranges"), "1-1");
  EXPECT_EQ(field_of(rest[1], "count"), "1");
  EXPECT_EQ(field_of(rest[1], "vehicles"), "5");
  EXPECT_EQ(field_of(rest[1], "cause"), "refused");
  EXPECT_EQ(field_of(rest[1], "uplink"), "flume");
  const auto shelf = bed.set_aside();
  ASSERT_EQ(shelf.size(), 1u);
  EXPECT_EQ(shelf[0].line, batch->events[0].line);
  EXPECT_EQ(shelf[0].uplink, "flume");
  EXPECT_EQ(shelf[0].reason, "HTTP 400");
  EXPECT_FALSE(bed.requeue(shelf[0].number + 1));
  ASSERT_TRUE(bed.requeue(shelf[0].number));
  const auto again = bed.drain(0);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].line, batch->events[0].line);
  EXPECT_TRUE(bed.set_aside().empty());
  EXPECT_EQ(bed.drain(1).size(), 4u) << "the other uplink had nothing refused";
}

TEST(Outbox, WhileADiskStallsStatusAnswersAndNothingIsLost) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  bed.executor().stall();
  int durable = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(bed.append_lane(i, [&] { ++durable; }));
    bed.run_for(Milliseconds{100});
  }
  EXPECT_EQ(durable, 0);
  EXPECT_EQ(bed.outbox().status().integer("pending"), 100);
  bed.executor().release();
  bed.run_for(Seconds{2});
  EXPECT_EQ(durable, 100);
  EXPECT_EQ(only(bed.drain(0), "traffic.lane").size(), 100u);
}

TEST(Outbox, BeyondThePendingBoundAppendRefusesCountsAndAlarms) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.executor().stall();
  drivers::Row row{.stream = "node.alarm"};
  std::size_t taken = 0;
  while (bed.append_lane(1) && taken < outbox::kMaxPendingEvents + 1) ++taken;
  EXPECT_GT(taken, 5000u);
  EXPECT_LE(taken, outbox::kMaxPendingEvents);
  EXPECT_TRUE(bed.append_row("node.alarm")) << "an alarm still fits";
  EXPECT_EQ(bed.outbox().status().integer("lost_before_commit"), 1);
  EXPECT_TRUE(bed.alarms().on.contains("outbox_overflow/outbox"));
  bed.executor().release();
  bed.run_for(Seconds{2});
  EXPECT_FALSE(bed.alarms().on.contains("outbox_overflow/outbox"));
  EXPECT_EQ(only(bed.drain(0, {.max_events = 1000}), "traffic.lane").size(), taken);
}

TEST(Outbox, MuchAtOnceIsCommittedBeforeItsTime) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  int told = 0;
  bed.outbox().on_available(0, [&] { ++told; });
  for (int i = 0; i < 100; ++i) bed.append_lane(1);
  bed.run_for(Milliseconds{100});
  EXPECT_EQ(told, 0);
  for (int i = 0; i < 1500; ++i) bed.append_lane(1);
  bed.run_for(Milliseconds{100});
  EXPECT_GE(told, 1);
  bed.run_for(Seconds{2});
  EXPECT_EQ(only(bed.drain(0, {.max_events = 2000}), "traffic.lane").size(), 1600u);
}

TEST(Outbox, CallerIsToldWhenSomethingHasAppeared) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  int told = 0;
  bed.outbox().on_available(0, [&] { ++told; });
  bed.append_lane(1);
  bed.run_for(Milliseconds{500});
  EXPECT_EQ(told, 0);
  bed.run_for(Milliseconds{600});
  EXPECT_EQ(told, 1);
}

TEST(Outbox, StatusNamesItsNumbers) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.append_lane(1);
  bed.run_for(Seconds{30});
  const Status status = bed.outbox().status();
  EXPECT_EQ(status.integer("events"), 2);
  EXPECT_EQ(status.integer("waiting"), 2);
  EXPECT_GE(status.integer("oldest_unsent_s"), 29);
  EXPECT_GT(status.integer("disk_bytes"), 0);
  EXPECT_GT(status.integer("written_bytes"), 0);
  EXPECT_EQ(status.integer("window_ms"), 60000);
  EXPECT_EQ(status.text("durable"), "yes");
  ASSERT_NE(status.child("flume"), nullptr);
  EXPECT_EQ(status.child("flume")->integer("waiting"), 2);
}

TEST(Outbox, SecondProcessIsRefused) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  AlarmRecorder alarms;
  const auto second = outbox::open_outbox(
      bed.options, {bed.loop(), bed.executor(), bed.clock(), bed.random(), bed.disk(), alarms});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::exists);
}

TEST(Outbox, WhatWasDeliveredIsWrittenWithTheNextMinutesCommit) {
  for (const int lanes : {1, 100, 300}) {
    SCOPED_TRACE(lanes);
    OutboxBed bed;
    ASSERT_TRUE(bed.open());
    const auto minutes = [&](int count) {
      for (int minute = 0; minute < count; ++minute) {
        for (int lane = 0; lane < lanes; ++lane) bed.append_lane(1);
        bed.run_for(Seconds{2});
        bed.drain(0);
        bed.run_for(Seconds{57});
      }
    };
    minutes(8);  // the first manifest too: of a stream that is offered for the first time
    const auto syncs = [&] { return bed.disk().volume().operations(hal::DiskOperation::sync); };
    const std::uint64_t before = syncs();
    minutes(10);
    // One a commit; with many lanes the log is copied back once, which has syncs of its own.
    EXPECT_GE(syncs() - before, 10u);
    EXPECT_LE(syncs() - before, lanes == 1 ? 10u : 13u);
  }
}

TEST(Outbox, EventsAreTakenWhileCommitsFailAndTheCommitIsTriedAgain) {
  OutboxBed bed;
  ASSERT_TRUE(bed.open());
  bed.drain(0);
  bed.disk().volume().set_read_only(true);
  bool is_durable = false;
  bed.append_lane(1, [&] { is_durable = true; });
  bed.run_for(Seconds{2});
  EXPECT_FALSE(is_durable);
  EXPECT_EQ(bed.alarms().on.size(), 1u);
  bed.disk().volume().set_read_only(false);
  bed.run_for(Seconds{120});
  EXPECT_TRUE(is_durable);
  EXPECT_TRUE(bed.alarms().on.empty());
  EXPECT_EQ(bed.drain(0).size(), 1u);
}

}  // namespace
}  // namespace berm::test
