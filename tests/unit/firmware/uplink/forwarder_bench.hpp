// SPDX-License-Identifier: Apache-2.0
// ForwarderBench: a forwarder between a fake outbox and a scripted server, in virtual time.
#pragma once

#include <memory>

#include "firmware/uplink/forwarder.hpp"
#include "hal/sim/clock.hpp"
#include "hal/sim/loop.hpp"
#include "hal/sim/random.hpp"
#include "tests/support/fake_outbox.hpp"
#include "tests/unit/firmware/uplink/recorded_alarms.hpp"
#include "tests/unit/firmware/uplink/scripted_transport.hpp"

namespace berm::uplink {

struct ForwarderBench {
  explicit ForwarderBench(std::uint64_t seed = 1) : random(seed) { options.name = "flume"; }

  void start() {
    auto made = std::make_unique<ScriptedTransport>(loop, server);
    transport = made.get();
    forwarder = make_forwarder(options, std::move(made), {loop, clock, random, outbox, alarms});
    forwarder->start();
  }
  void run_for(Microseconds duration) { loop.run_for(duration); }
  std::size_t delivered() const { return outbox.count(outbox::FakeOutbox::State::delivered); }
  std::size_t refused() const { return outbox.count(outbox::FakeOutbox::State::refused); }
  std::string state() const { return forwarder->status().text("state"); }
  std::int64_t status(std::string_view name) const { return forwarder->status().integer(name); }

  hal::SimLoop loop;
  hal::SimClock clock{loop};
  hal::SimRandom random;
  outbox::FakeOutbox outbox{loop};
  RecordedAlarms alarms;
  ScriptedServer server;
  ForwarderOptions options;
  ScriptedTransport* transport = nullptr;
  std::unique_ptr<Uplink> forwarder;
};

inline const char* const kLane = "traffic.lane";

inline bool has(const Request& request, const EventName& event) {
  return std::find(request.begin(), request.end(), event) != request.end();
}

inline std::vector<std::size_t> sizes_of(const std::vector<Request>& requests) {
  std::vector<std::size_t> sizes;
  sizes.reserve(requests.size());
  for (const Request& request : requests) sizes.push_back(request.size());
  return sizes;
}

}  // namespace berm::uplink
