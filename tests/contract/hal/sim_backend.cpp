// SPDX-License-Identifier: Apache-2.0
// hal/sim put to the contract, in virtual time.
#include "hal/sim/clock.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/executor.hpp"
#include "hal/sim/loop.hpp"
#include "hal/sim/random.hpp"
#include "hal/sim/stream_listener.hpp"
#include "tests/contract/hal/backend.hpp"

namespace berm::hal::contract {

namespace {

class SimPeer final : public StreamPeer {
 public:
  explicit SimPeer(std::unique_ptr<SimStreamPeer> peer) : peer_(std::move(peer)) {}
  void send(std::string_view bytes) override { peer_->send(bytes); }
  void set_reading(bool is_reading) override { peer_->set_reading(is_reading); }
  const std::string& received() override { return peer_->received(); }
  bool is_closed() override { return peer_->is_closed(); }

 private:
  std::unique_ptr<SimStreamPeer> peer_;
};

class SimBackend final : public Backend {
 public:
  SimBackend() { disk_.prepare_directory(directory_); }
  Loop& loop() override { return loop_; }
  bool run_until(const std::function<bool()>& is_done, Microseconds limit) override {
    const MonoTime end = loop_.now() + limit;
    // A timer of its own, so that time goes on where nothing else waits.
    bool is_over = false;
    Timer alarm(loop_);
    alarm.at(end, [&] { is_over = true; });
    while (!is_done() && !is_over) loop_.step();
    return is_done();
  }
  std::unique_ptr<Executor> make_executor(std::size_t max_queued) override {
    return std::make_unique<SimExecutor>(
        loop_, SimExecutorOptions{.max_queued = max_queued, .latency = Milliseconds{1}});
  }
  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }
  Disk& disk() override { return disk_; }
  const std::string& directory() override { return directory_; }
  StreamListeners& listeners() override { return listeners_; }
  std::unique_ptr<StreamPeer> connect(const std::string& path) override {
    auto peer = listeners_.connect(path);
    if (!peer) return nullptr;
    return std::make_unique<SimPeer>(std::move(peer));
  }

 private:
  SimLoop loop_;
  SimClock clock_{loop_};
  SimRandom random_{20261121};
  SimDisk disk_;
  SimStreamListeners listeners_{loop_};
  std::string directory_ = "/var/lib/berm";
};

// The same over a clock that runs 60 times faster: the loop that boards/sim uses with a rate.
class RateBackend final : public Backend {
 public:
  RateBackend() { disk_.prepare_directory(directory_); }
  Loop& loop() override { return rate_loop_; }
  bool run_until(const std::function<bool()>& is_done, Microseconds limit) override {
    bool is_over = false;
    Timer alarm(rate_loop_);
    alarm.after(limit, [&] { is_over = true; });
    while (!is_done() && !is_over) loop_.step();
    return is_done();
  }
  std::unique_ptr<Executor> make_executor(std::size_t max_queued) override {
    return std::make_unique<SimExecutor>(rate_loop_, SimExecutorOptions{.max_queued = max_queued});
  }
  Clock& clock() override { return rate_clock_; }
  Random& random() override { return random_; }
  Disk& disk() override { return disk_; }
  const std::string& directory() override { return directory_; }
  StreamListeners& listeners() override { return listeners_; }
  std::unique_ptr<StreamPeer> connect(const std::string& path) override {
    auto peer = listeners_.connect(path);
    if (!peer) return nullptr;
    return std::make_unique<SimPeer>(std::move(peer));
  }

 private:
  SimLoop loop_;
  SimClock clock_{loop_};
  RateScale scale_{loop_.now(), 60.0};
  RateLoop rate_loop_{loop_, scale_};
  RateClock rate_clock_{clock_, scale_};
  SimRandom random_{7};
  SimDisk disk_;
  SimStreamListeners listeners_{rate_loop_};
  std::string directory_ = "/var/lib/berm";
};

}  // namespace

static std::unique_ptr<Backend> make_sim() {
  return std::make_unique<SimBackend>();
}
static std::unique_ptr<Backend> make_rate() {
  return std::make_unique<RateBackend>();
}

}  // namespace berm::hal::contract

BERM_HAL_CONTRACT(Sim, berm::hal::contract::make_sim);
BERM_HAL_CONTRACT(Rate, berm::hal::contract::make_rate);
