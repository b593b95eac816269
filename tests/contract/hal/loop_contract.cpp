// SPDX-License-Identifier: Apache-2.0
// The contract of hal/loop.hpp.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/hal/backend.hpp"

namespace berm::hal::contract {

using Fired = std::vector<int>;

TEST_P(LoopContract, TimersFireInOrderOfTheirTime) {
  Fired fired;
  loop().after(Milliseconds{9}, [&] { fired.push_back(3); });
  loop().after(Milliseconds{1}, [&] { fired.push_back(1); });
  loop().after(Milliseconds{5}, [&] { fired.push_back(2); });
  EXPECT_TRUE(run_until([&] { return fired.size() == 3; }));
  EXPECT_EQ(fired, (Fired{1, 2, 3}));
}

TEST_P(LoopContract, EqualTimersFireInOrderOfTheirMaking) {
  Fired fired;
  const MonoTime time = loop().now() + Milliseconds{2};
  for (int i = 0; i < 50; ++i) loop().at(time, [&fired, i] { fired.push_back(i); });
  EXPECT_TRUE(run_until([&] { return fired.size() == 50; }));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(fired[static_cast<std::size_t>(i)], i);
}

TEST_P(LoopContract, OverdueTimersFireInOrderOfTheirTimeToo) {
  Fired fired;
  const MonoTime now = loop().now();
  loop().at(now - Milliseconds{1}, [&] { fired.push_back(2); });
  loop().at(now - Milliseconds{2}, [&] { fired.push_back(1); });
  loop().at(MonoTime{}, [&] { fired.push_back(0); });
  EXPECT_TRUE(run_until([&] { return fired.size() == 3; }));
  EXPECT_EQ(fired, (Fired{0, 1, 2}));
}

TEST_P(LoopContract, ATimerIsNeverEarly) {
  int fired = 0;
  const MonoTime begin = loop().now();
  for (int us = 1; us < 12000; us += 397) {
    const MonoTime time = begin + Microseconds{us};
    loop().at(time, [this, time, &fired] {
      EXPECT_GE(loop().now(), time);
      EXPECT_GE(backend_->clock().mono(), time);
      ++fired;
    });
  }
  EXPECT_TRUE(run_until([&] { return fired == 31; }));
}

TEST_P(LoopContract, NothingFiresBeforeTheLoopRuns) {
  bool fired = false;
  loop().at(MonoTime{}, [&] { fired = true; });
  loop().post([&] { fired = true; });
  EXPECT_FALSE(fired);
  EXPECT_TRUE(run_until([&] { return fired; }));
}

TEST_P(LoopContract, ACancelledTimerNeverFires) {
  bool fired = false;
  bool is_over = false;
  const TimerId id = loop().after(Milliseconds{1}, [&] { fired = true; });
  EXPECT_NE(id, 0u);
  loop().after(Milliseconds{5}, [&] { is_over = true; });
  loop().cancel(id);
  EXPECT_TRUE(run_until([&] { return is_over; }));
  EXPECT_FALSE(fired);
}

TEST_P(LoopContract, ATimerCancelledByAnotherOfTheSameInstantDoesNotFire) {
  bool fired = false;
  bool is_over = false;
  const MonoTime time = loop().now() + Milliseconds{1};
  TimerId second = 0;
  loop().at(time, [&] { loop().cancel(second); });
  second = loop().at(time, [&] { fired = true; });
  loop().at(time, [&] { is_over = true; });
  EXPECT_TRUE(run_until([&] { return is_over; }));
  EXPECT_FALSE(fired);
}

TEST_P(LoopContract, CancellingNothingOrAFiredTimerIsFine) {
  int fired = 0;
  TimerId first = 0;
  first = loop().after(Milliseconds{1}, [&] {
    ++fired;
    loop().cancel(first);
  });
  loop().after(Milliseconds{2}, [&] { ++fired; });
  loop().cancel(0);
  EXPECT_TRUE(run_until([&] { return fired == 2; }));
  loop().cancel(first);
}

TEST_P(LoopContract, ATimerSetInACallbackFires) {
  Fired fired;
  loop().after(Milliseconds{1}, [&] {
    fired.push_back(1);
    loop().after(Microseconds{0}, [&] { fired.push_back(2); });
    EXPECT_EQ(fired.size(), 1u);
  });
  EXPECT_TRUE(run_until([&] { return fired.size() == 2; }));
}

TEST_P(LoopContract, ATimerThatSetsItselfAgainAtOnceStarvesNobody) {
  bool is_over = false;
  int turns = 0;
  std::function<void()> again = [&] {
    ++turns;
    if (!is_over) loop().after(Microseconds{0}, again);
  };
  loop().after(Microseconds{0}, again);
  loop().after(Microseconds{0}, [&] { loop().post([&] { is_over = true; }); });
  EXPECT_TRUE(run_until([&] { return is_over; }));
  EXPECT_GT(turns, 0);
}

TEST_P(LoopContract, TheInstantStaysTheSameWithinACallbackAndNeverGoesBack) {
  int calls = 0;
  MonoTime last = loop().now();
  for (int i = 0; i < 20; ++i) {
    loop().after(Microseconds{i * 300}, [&] {
      const MonoTime now = loop().now();
      EXPECT_GE(now, last);
      EXPECT_EQ(loop().now(), now);
      last = now;
      ++calls;
    });
  }
  EXPECT_TRUE(run_until([&] { return calls == 20; }));
}

TEST_P(LoopContract, PostedCallbacksRunInOrderAndNeverInsidePost) {
  Fired ran;
  loop().after(Microseconds{0}, [&] {
    for (int i = 0; i < 10; ++i) loop().post([&ran, i] { ran.push_back(i); });
    EXPECT_TRUE(ran.empty());
  });
  EXPECT_TRUE(run_until([&] { return ran.size() == 10; }));
  EXPECT_EQ(ran, (Fired{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_P(LoopContract, AnotherThreadMayPostAndTheCallbackRunsOnTheLoopsThread) {
  const std::thread::id here = std::this_thread::get_id();
  int ran = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      loop().post([&, i] {
        EXPECT_EQ(std::this_thread::get_id(), here);
        EXPECT_EQ(ran, i);
        ++ran;
      });
    }
  });
  other.join();
  EXPECT_TRUE(run_until([&] { return ran == 1000; }));
}

TEST_P(LoopContract, ACallbackIsLetGoOnceItHasRun) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = held;
  loop().after(Microseconds{0}, [held] { EXPECT_EQ(*held, 1); });
  loop().post([held] { EXPECT_EQ(*held, 1); });
  held.reset();
  EXPECT_TRUE(run_until([&] { return seen.expired(); }));
}

TEST_P(LoopContract, ATimerObjectSetAgainFiresOnceAndOneThatDiedNever) {
  Fired fired;
  Timer kept(loop());
  {
    Timer dying(loop());
    dying.after(Milliseconds{1}, [&] { fired.push_back(0); });
    kept.after(Milliseconds{1}, [&] { fired.push_back(1); });
    EXPECT_TRUE(dying.is_set());
  }
  kept.after(Milliseconds{2}, [&] { fired.push_back(2); });
  bool is_over = false;
  loop().after(Milliseconds{5}, [&] { is_over = true; });
  EXPECT_TRUE(run_until([&] { return is_over; }));
  EXPECT_EQ(fired, Fired{2});
  EXPECT_FALSE(kept.is_set());
}

}  // namespace berm::hal::contract
