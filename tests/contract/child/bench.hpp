// SPDX-License-Identifier: Apache-2.0
// What the contract of child processes runs on: a backend, its loop, and a child that says given
// bytes and then ends by itself, or goes on in silence.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "hal/child_process.hpp"
#include "hal/loop.hpp"

namespace berm::hal::contract {

enum class Then { ends_with_3, stays };

class ChildBench {
 public:
  virtual ~ChildBench() = default;
  virtual Loop& loop() = 0;
  virtual bool run_until(const std::function<bool()>& condition, Seconds limit = Seconds{20}) = 0;
  // A child that will say `bytes`, once started by `start`.
  virtual std::unique_ptr<ChildProcess> make(const std::string& bytes, Then then) = 0;
  virtual std::unique_ptr<ChildProcess> make_impossible() = 0;
  // Sim: plays what was given to `make`. Linux: nothing, it does so by itself.
  virtual void play() = 0;
};

struct ChildBackend {
  const char* name;
  std::unique_ptr<ChildBench> (*make)();
};
inline void PrintTo(const ChildBackend& backend, std::ostream* out) {
  *out << backend.name;
}

std::unique_ptr<ChildBench> make_linux_children();
std::unique_ptr<ChildBench> make_sim_children();

}  // namespace berm::hal::contract
