// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/loop.hpp"
#include "hal/sim/position_feed.hpp"
#include "tests/contract/position/bench.hpp"

namespace berm::hal::contract {
namespace {

class SimBench final : public PositionBench {
 public:
  SimBench() { feeds_.go_down("not started"); }
  Loop& loop() override { return loop_; }
  bool run_until(const std::function<bool()>& condition, Seconds limit) override {
    const MonoTime end = loop_.now() + limit;
    while (!condition() && loop_.now() < end) loop_.run_for(Milliseconds{1});
    return condition();
  }
  PositionFeeds& feeds() override { return feeds_; }
  std::string address() override { return "127.0.0.1:2947"; }
  void gpsd_starts() override { feeds_.go_up(); }
  void gpsd_dies() override { feeds_.go_down("died"); }
  void say_fix(double lat, double lon) override {
    PositionFix fix;
    fix.mode = 3;
    fix.lat = lat;
    fix.lon = lon;
    fix.error_m = 4.0;
    feeds_.push(fix);
  }
  void say_no_fix() override {
    PositionFix fix;
    fix.mode = 1;
    feeds_.push(fix);
  }

 private:
  SimLoop loop_;
  ScriptedPositionFeeds feeds_{loop_};
};

}  // namespace

std::unique_ptr<PositionBench> make_sim_position() {
  return std::make_unique<SimBench>();
}

}  // namespace berm::hal::contract
