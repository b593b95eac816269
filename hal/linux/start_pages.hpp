// SPDX-License-Identifier: Apache-2.0
// release_start_pages: gives back the pages of code and constants that only the start needed
// (relocation, parsing of the configuration, set-up of libraries). They stay in the kernel's cache;
// what is used again is mapped again by a minor fault. Used by `berm run`, once, when the agent has
// settled: it holds 3 to 4 MB less from then on, which on a node of 64 MB is cache for its
// database.
//
// Only segments that the program file maps without leave to write are given up, and none of an
// object with text relocations, so no changed byte can be lost. Any thread; others may run
// meanwhile. Fails: never, a segment that the kernel refuses stays. Source: madvise(2),
// dl_iterate_phdr(3).
#pragma once

namespace berm::hal {

void release_start_pages();

}  // namespace berm::hal
