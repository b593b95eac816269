// SPDX-License-Identifier: Apache-2.0
// What ThreadExecutor has beyond the contract: a real thread.
#include "hal/linux/executor.hpp"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "hal/linux/loop.hpp"

namespace berm::hal {
namespace {

TEST(ThreadExecutor, WorkRunsOnOneOtherThread) {
  EpollLoop loop;
  ThreadExecutor executor(loop, 2);
  std::thread::id first;
  std::thread::id second;
  executor.submit([&] { first = std::this_thread::get_id(); }, [] {});
  executor.submit([&] { second = std::this_thread::get_id(); }, [&] { loop.stop(); });
  loop.run();
  EXPECT_NE(first, std::this_thread::get_id());
  EXPECT_EQ(first, second);
}

TEST(ThreadExecutor, TheLoopGoesOnWhileAJobTakesLong) {
  EpollLoop loop;
  ThreadExecutor executor(loop, 1);
  std::promise<void> gate;
  bool is_done = false;
  executor.submit([&] { gate.get_future().wait(); },
                  [&] {
                    is_done = true;
                    loop.stop();
                  });
  int turns = 0;
  std::function<void()> turn = [&] {
    EXPECT_FALSE(is_done);
    if (++turns < 100) return loop.post(turn);
    gate.set_value();
  };
  loop.post(turn);
  loop.run();
  EXPECT_TRUE(is_done);
}

TEST(ThreadExecutor, DestructionWaitsForTheJobInHandAndCallsNoDone) {
  EpollLoop loop;
  auto executor = std::make_unique<ThreadExecutor>(loop, 3);
  std::promise<void> begun;
  std::promise<void> gate;
  bool is_finished = false;
  bool is_done_called = false;
  executor->submit(
      [&] {
        begun.set_value();
        gate.get_future().wait();
        is_finished = true;
      },
      [&] { is_done_called = true; });
  executor->submit([] {}, [&] { is_done_called = true; });
  begun.get_future().wait();
  std::thread opener([&] { gate.set_value(); });
  executor.reset();
  opener.join();
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(is_finished);
  EXPECT_FALSE(is_done_called);
}

TEST(ThreadExecutor, WhatTheWorkHeldIsLetGoOnTheExecutorsThread) {
  EpollLoop loop;
  std::thread::id worked;
  std::thread::id let_go;
  ThreadExecutor executor(loop, 1);
  std::shared_ptr<int> given(new int(1), [&](int* p) {
    let_go = std::this_thread::get_id();
    delete p;
  });
  executor.submit([&worked, held = std::move(given)] { worked = std::this_thread::get_id(); },
                  [&loop] { loop.stop(); });
  loop.run();
  EXPECT_EQ(let_go, worked);
}

}  // namespace
}  // namespace berm::hal
