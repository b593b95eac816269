// SPDX-License-Identifier: Apache-2.0
// The contract of hal/executor.hpp.
#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "tests/contract/hal/backend.hpp"

namespace berm::hal::contract {

TEST_P(ExecutorContract, JobsRunOneAfterAnotherInOrderAndAreDoneInOrder) {
  const auto executor = backend_->make_executor(200);
  std::vector<int> worked;
  std::vector<int> done;
  std::atomic<int> at_once{0};
  for (int i = 0; i < 200; ++i) {
    const auto work = [&worked, &at_once, i] {
      EXPECT_EQ(++at_once, 1);
      worked.push_back(i);
      --at_once;
    };
    EXPECT_TRUE(executor->submit(work, [&done, i] { done.push_back(i); }));
  }
  EXPECT_TRUE(run_until([&] { return done.size() == 200; }));
  std::vector<int> expected(200);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(worked, expected);
  EXPECT_EQ(done, expected);
}

TEST_P(ExecutorContract, DoneComesOnTheLoopsThreadAfterTheWorkAndNeverInsideSubmit) {
  const auto executor = backend_->make_executor(4);
  const std::thread::id here = std::this_thread::get_id();
  bool is_worked = false;
  bool is_done = false;
  EXPECT_TRUE(executor->submit([&] { is_worked = true; },
                               [&] {
                                 EXPECT_TRUE(is_worked);
                                 EXPECT_EQ(std::this_thread::get_id(), here);
                                 is_done = true;
                               }));
  EXPECT_FALSE(is_done);
  EXPECT_TRUE(run_until([&] { return is_done; }));
}

TEST_P(ExecutorContract, TakesItsMaximumAndRefusesOneMore) {
  const auto executor = backend_->make_executor(3);
  int worked = 0;
  int done = 0;
  const auto work = [&] { ++worked; };
  const auto on_done = [&] { ++done; };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(executor->submit(work, on_done));
  EXPECT_EQ(executor->queued(), 3u);
  EXPECT_FALSE(executor->submit(work, on_done));
  EXPECT_EQ(executor->queued(), 3u);
  EXPECT_TRUE(run_until([&] { return done == 3; }));
  EXPECT_EQ(executor->queued(), 0u);
  EXPECT_TRUE(executor->submit(work, on_done));
  EXPECT_TRUE(run_until([&] { return done == 4; }));
  EXPECT_EQ(worked, 4);
}

TEST_P(ExecutorContract, DoneMaySubmitIntoThePlaceThatItsJobLeft) {
  const auto executor = backend_->make_executor(1);
  int done = 0;
  std::function<void()> again = [&] {
    EXPECT_EQ(executor->queued(), 0u);
    if (++done == 5) return;
    EXPECT_TRUE(executor->submit([] {}, again));
  };
  EXPECT_TRUE(executor->submit([] {}, again));
  EXPECT_TRUE(run_until([&] { return done == 5; }));
}

TEST_P(ExecutorContract, ADeadExecutorCallsNoDone) {
  auto executor = backend_->make_executor(10);
  bool is_called = false;
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(executor->submit([] {}, [&] { is_called = true; }));
  }
  executor.reset();
  run_for(Milliseconds{20});
  EXPECT_FALSE(is_called);
}

TEST_P(ExecutorContract, AnExecutorMayDieInsideADone) {
  auto executor = backend_->make_executor(10);
  int done = 0;
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(executor->submit([] {},
                                 [&] {
                                   ++done;
                                   executor.reset();
                                 }));
  }
  EXPECT_TRUE(run_until([&] { return done > 0; }));
  run_for(Milliseconds{20});
  EXPECT_EQ(done, 1);
}

TEST_P(ExecutorContract, WhatAJobHeldIsLetGo) {
  const auto executor = backend_->make_executor(2);
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = held;
  EXPECT_TRUE(executor->submit([held] { ++*held; }, [held] { EXPECT_EQ(*held, 1); }));
  held.reset();
  EXPECT_TRUE(run_until([&] { return seen.expired(); }));
}

}  // namespace berm::hal::contract
