// SPDX-License-Identifier: Apache-2.0
// The outbox's rows of the shell: the events a receiver refused, `set-aside list [FROM]`, `show N`,
// `requeue N` (changes things). They read the disk, so they answer later, in the outbox's turn.
// Bounds: kMaxListed events an answer; outbox commands under way as the outbox bounds them. Loop
// thread only; the outbox outlives the commands.
#pragma once

#include <vector>

#include "firmware/outbox/outbox.hpp"
#include "hal/base/command.hpp"

namespace berm::outbox {

inline constexpr std::size_t kMaxListed = 100;

std::vector<Command> outbox_commands(Outbox& outbox);

}  // namespace berm::outbox
