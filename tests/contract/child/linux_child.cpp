// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/child_process.hpp"
#include "tests/contract/child/bench.hpp"

namespace berm::hal::contract {
namespace {

class LinuxChildren final : public ChildBench {
 public:
  Loop& loop() override { return loop_; }
  bool run_until(const std::function<bool()>& condition, Seconds limit) override {
    const MonoTime end = loop_.now() + limit;
    Timer poll(loop_);
    std::function<void()> look = [&] {
      if (condition() || loop_.now() > end) return loop_.stop();
      poll.after(Milliseconds{5}, look);
    };
    look();
    if (!condition()) loop_.run();
    return condition();
  }
  std::unique_ptr<ChildProcess> make(const std::string& bytes, Then then) override {
    // What it says comes through its input: no quoting.
    ChildPlan plan;
    plan.words = {"/bin/sh", "-c", then == Then::stays ? "cat; exec sleep 1000" : "cat; exit 3"};
    plan.input = bytes;
    return children_.make(std::move(plan));
  }
  std::unique_ptr<ChildProcess> make_impossible() override {
    ChildPlan plan;
    plan.words = {"/no/such/program"};
    return children_.make(std::move(plan));
  }
  void play() override {}

 private:
  EpollLoop loop_;
  SpawnedProcesses children_{loop_};
};

}  // namespace

std::unique_ptr<ChildBench> make_linux_children() {
  return std::make_unique<LinuxChildren>();
}

}  // namespace berm::hal::contract
