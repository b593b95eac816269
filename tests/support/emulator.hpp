// SPDX-License-Identifier: Apache-2.0
// Tests of another architecture run under qemu-user, which passes some kernel calls on in part.
#pragma once

#include <cstdlib>

namespace berm::test {

// A test that cannot hold there skips itself, with the reason; ctest sets the variable.
inline bool is_emulated() {
  return std::getenv("BERM_EMULATOR") != nullptr;
}

// getsockopt(TCP_INFO) gives four bytes only: the connection's state without its counters.
inline constexpr const char* kNoByteCounters = "qemu-user has no byte counters of a connection";
// getsockopt(SO_PEERGROUPS) is unknown.
inline constexpr const char* kNoPeerGroups = "qemu-user has no groups of the other side";

}  // namespace berm::test
