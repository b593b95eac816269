// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/child_process.hpp"
#include "hal/sim/loop.hpp"
#include "tests/contract/child/bench.hpp"

namespace berm::hal::contract {
namespace {

class SimChildren final : public ChildBench {
 public:
  Loop& loop() override { return loop_; }
  bool run_until(const std::function<bool()>& condition, Seconds limit) override {
    for (int i = 0; i < 100 * limit.count() && !condition(); ++i) loop_.run_for(Milliseconds{10});
    return condition();
  }
  std::unique_ptr<ChildProcess> make(const std::string& bytes, Then then) override {
    bytes_ = bytes;
    then_ = then;
    return children_.make({.words = {"played"}, .input = {}, .memory_bytes = 0, .nice = 0});
  }
  std::unique_ptr<ChildProcess> make_impossible() override {
    children_.refuse_next(1);
    return make("", Then::stays);
  }
  void play() override {
    children_.last()->say(bytes_);
    if (then_ == Then::ends_with_3) children_.last()->finish("ended with 3");
  }

 private:
  SimLoop loop_;
  PlayedProcesses children_{loop_};
  std::string bytes_;
  Then then_ = Then::stays;
};

}  // namespace

std::unique_ptr<ChildBench> make_sim_children() {
  return std::make_unique<SimChildren>();
}

}  // namespace berm::hal::contract
