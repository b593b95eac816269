// SPDX-License-Identifier: Apache-2.0
// One world in which the contract of hal/include is put to the test, made anew for each test. Each
// backend has one file here (`linux_backend.cpp`, `sim_backend.cpp`) that implements Backend and
// StreamPeer and ends with BERM_HAL_CONTRACT(Name, maker); the suites (`*_contract.cpp`) are the
// same.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hal/clock.hpp"
#include "hal/disk.hpp"
#include "hal/executor.hpp"
#include "hal/loop.hpp"
#include "hal/random.hpp"
#include "hal/stream_listener.hpp"

namespace berm::hal::contract {

// The other end of a StreamConnection.
class StreamPeer {
 public:
  virtual ~StreamPeer() = default;
  virtual void send(std::string_view bytes) = 0;
  // A peer that does not read lets its answers wait; it reads from the beginning.
  virtual void set_reading(bool is_reading) = 0;
  // All that has come so far.
  virtual const std::string& received() = 0;
  // The agent's side has ended the connection (or never took it), and all it sent was read.
  virtual bool is_closed() = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Loop& loop() = 0;
  // Runs the loop until `is_done` or until `limit` of the loop's time is over; what `is_done` says
  // then.
  virtual bool run_until(const std::function<bool()>& is_done, Microseconds limit) = 0;
  virtual std::unique_ptr<Executor> make_executor(std::size_t max_queued) = 0;
  virtual Clock& clock() = 0;
  virtual Random& random() = 0;
  virtual Disk& disk() = 0;
  // An existing, empty directory of `disk`, absolute, without a slash at its end.
  virtual const std::string& directory() = 0;
  virtual StreamListeners& listeners() = 0;
  // nullptr: nobody listens there. The peer dies before the backend.
  virtual std::unique_ptr<StreamPeer> connect(const std::string& path) = 0;
};

struct BackendMaker {
  const char* name;
  std::unique_ptr<Backend> (*make)();
};

class HalContract : public testing::TestWithParam<BackendMaker> {
 protected:
  HalContract() : backend_(GetParam().make()) {}
  Loop& loop() { return backend_->loop(); }
  bool run_until(const std::function<bool()>& is_done) {
    return backend_->run_until(is_done, Seconds{20});
  }
  void run_for(Microseconds time) {
    backend_->run_until([] { return false; }, time);
  }
  std::string path(std::string_view name) {
    return backend_->directory() + "/" + std::string(name);
  }

  std::unique_ptr<Backend> backend_;
};

class LoopContract : public HalContract {};
class ExecutorContract : public HalContract {};
class ClockContract : public HalContract {};
class RandomContract : public HalContract {};
class DiskContract : public HalContract {};
class StreamListenerContract : public HalContract {};

}  // namespace berm::hal::contract

// Puts one backend to all suites.
#define BERM_HAL_CONTRACT(Name, maker)                                       \
  namespace berm::hal::contract {                                            \
  const auto k##Name##Backend = testing::Values(BackendMaker{#Name, maker}); \
  INSTANTIATE_TEST_SUITE_P(Name, LoopContract, k##Name##Backend);            \
  INSTANTIATE_TEST_SUITE_P(Name, ExecutorContract, k##Name##Backend);        \
  INSTANTIATE_TEST_SUITE_P(Name, ClockContract, k##Name##Backend);           \
  INSTANTIATE_TEST_SUITE_P(Name, RandomContract, k##Name##Backend);          \
  INSTANTIATE_TEST_SUITE_P(Name, DiskContract, k##Name##Backend);            \
  INSTANTIATE_TEST_SUITE_P(Name, StreamListenerContract, k##Name##Backend);  \
  }                                                                          \
  static_assert(true)
