// SPDX-License-Identifier: Apache-2.0
// Tails: `tail STREAM` of the shell. Hands each event that was committed, as its line, to whoever
// watches its stream; who reads too slowly misses some and is told how many: nothing ever waits for
// a reader. Owned by the agent.
//
// The line is the event's as it is known at its commit; where the clock was not known then, the
// line that an uplink carries later may have another time. Records the outbox makes itself (gaps,
// epochs) are not in it.
//
// Loop thread only. Bounds: kMaxTails at once; kMaxTailUnsentBytes (and one event) unread each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/event/event.hpp"
#include "hal/base/command.hpp"
#include "hal/clock.hpp"

namespace berm::agent {

inline constexpr std::size_t kMaxTails = 8;
inline constexpr std::size_t kMaxTailUnsentBytes = 2u << 20;

class Tails {
 public:
  // `clock` outlives it.
  Tails(std::string node, const hal::Clock& clock) : node_(std::move(node)), clock_(clock) {}

  // `request` names a stream or a glob (`traffic.*`); what is wrong with it ends the reply.
  void add(const CommandRequest& request, std::shared_ptr<CommandReply> reply);
  void take(const event::Draft& draft, std::string_view epoch, std::int64_t seq);

 private:
  struct Tail {
    std::string pattern;
    std::shared_ptr<CommandReply> reply;
    std::int64_t missed = 0;
  };
  static void show(Tail& tail, std::string_view line);
  void forget_gone();
  std::string line_of(const event::Draft& draft, std::string_view epoch, std::int64_t seq) const;

  const std::string node_;
  const hal::Clock& clock_;
  std::vector<Tail> tails_;
};

}  // namespace berm::agent
