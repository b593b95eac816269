// SPDX-License-Identifier: Apache-2.0
// NameLookup: a host name becomes numeric addresses without blocking the loop. Used by the MQTT
// client (libmosquitto's own lookup blocked the loop for 10 s when no name server answered).
//
// Promises: `done` is called once, on the loop, never inside `start`; not at all once the handle is
// gone. At most kMaxNameLookups lookups run at a time, also those nobody waits for any more; one
// more fails at once with `unavailable`. At most kMaxAddresses addresses, in the order of
// getaddrinfo (RFC 6724). A numeric host costs no thread.
//
// Thread: one short-lived, detached thread per lookup, inside getaddrinfo only; it shares nothing
// with its owner but a small state object of its own, so an owner that dies neither waits nor is
// touched. Lifetime: the loop outlives the handle. Fails: Error `not_found` or `unavailable`. The
// bound in time is the owner's timer: getaddrinfo itself gives up after the resolver's own (by
// default ≤ 30 s).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hal/base/result.hpp"
#include "hal/loop.hpp"

namespace berm::hal {

inline constexpr int kMaxNameLookups = 4;
inline constexpr std::size_t kMaxAddresses = 8;

class NameLookup {
 public:
  using Addresses = std::vector<std::string>;
  using Done = std::function<void(Result<Addresses>)>;
  struct State;

  explicit NameLookup(std::shared_ptr<State> state) : state_(std::move(state)) {}
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;
  ~NameLookup();

 private:
  std::shared_ptr<State> state_;
};

class NameLookups {
 public:
  explicit NameLookups(Loop& loop);
  std::unique_ptr<NameLookup> start(const std::string& host, NameLookup::Done done);

 private:
  Loop& loop_;
  std::shared_ptr<std::atomic<int>> running_;
};

}  // namespace berm::hal
