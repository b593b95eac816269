// SPDX-License-Identifier: Apache-2.0
// What SimExecutor promises beyond the contract of hal/executor.hpp.
#include "hal/sim/executor.hpp"

#include <gtest/gtest.h>

#include <string>

#include "hal/sim/disk.hpp"
#include "hal/sim/loop.hpp"

namespace berm::hal {
namespace {

class SimExecutorTest : public testing::Test {
 protected:
  void submit(const std::string& name) {
    executor_.submit([this, name] { log_ += "w" + name + at(); },
                     [this, name] { log_ += "d" + name + at(); });
  }
  std::string at() const {
    return "@" + std::to_string((loop_.now() - SimLoop::kDefaultStart) / Milliseconds{1}) + " ";
  }
  SimLoop loop_;
  SimExecutor executor_{loop_};
  std::string log_;
};

TEST_F(SimExecutorTest, EachJobTakesItsLatencyOneAfterAnother) {
  executor_.set_latency(Milliseconds{5});
  submit("1");
  submit("2");
  EXPECT_EQ(log_, "");
  loop_.run_until_idle();
  EXPECT_EQ(log_, "w1@0 d1@5 w2@5 d2@10 ");
  EXPECT_EQ(executor_.completed(), 2u);
}

TEST_F(SimExecutorTest, LatencyMayComeFromAFunctionAndFromTheDisk) {
  SimDisk disk;
  disk.volume().on_latency([this](Microseconds more) { executor_.add_latency(more); });
  disk.volume().set_latency(DiskOperation::sync, Milliseconds{30});
  int calls = 0;
  executor_.set_latency([&] { return Milliseconds{++calls}; });
  auto file = disk.open_append("/a").value();
  executor_.submit([&] { EXPECT_TRUE(file->sync()); }, [this] { log_ += at(); });
  executor_.submit([] {}, [this] { log_ += at(); });
  loop_.run_until_idle();
  EXPECT_EQ(log_, "@31 @33 ");
}

TEST_F(SimExecutorTest, AStalledDiskBeginsAndEndsNothingUntilReleased) {
  executor_.set_latency(Milliseconds{1});
  submit("1");
  submit("2");
  loop_.run_for(Microseconds{500});
  executor_.stall();
  loop_.run_for(Seconds{10});
  EXPECT_EQ(log_, "w1@0 ");
  EXPECT_EQ(executor_.queued(), 2u);
  executor_.release();
  loop_.run_until_idle();
  EXPECT_EQ(log_, "w1@0 d1@10000 w2@10000 d2@10001 ");
}

TEST_F(SimExecutorTest, StallAndReleaseBeforeAnythingHappensChangesNothing) {
  executor_.stall();
  submit("1");
  executor_.release();
  loop_.run_until_idle();
  EXPECT_EQ(log_, "w1@0 d1@0 ");
}

TEST_F(SimExecutorTest, APowerCutPreventsTheWorkThatHasNotBegun) {
  executor_.submit([&] { executor_.power_cut(); }, [&] { log_ += "never"; });
  submit("2");
  loop_.run_until_idle();
  EXPECT_EQ(log_, "");
  EXPECT_EQ(executor_.queued(), 0u);
  submit("3");
  loop_.run_until_idle();
  EXPECT_EQ(log_, "w3@0 d3@0 ");
}

}  // namespace
}  // namespace berm::hal
