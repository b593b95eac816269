// SPDX-License-Identifier: Apache-2.0
// Was the write-ahead log damaged? SQLite reads it up to the first frame that does not verify and
// drops the rest in silence. After a power cut that is right: the rest was never synced. After
// damage it takes back events that were committed, perhaps delivered, and their sequence numbers
// would be given out again. The two are told apart by what cannot come from a power cut: at most
// one transaction is unsynced at any time, so beyond the first bad frame there is at most one
// commit mark of this log; and a header that is neither empty nor valid is never left behind.
// Layout: sqlite.org/fileformat2.html#the_write_ahead_log. Not found: damage to the last
// transaction alone. Pure; any thread.
#pragma once

#include <string_view>

namespace berm::outbox {

enum class WalState {
  empty,    // no log, or nothing in it
  whole,    // every frame of this log verifies
  torn,     // ends in an unfinished write, as a power cut leaves it
  damaged,  // committed frames cannot be read back
};

WalState check_wal(std::string_view bytes);

}  // namespace berm::outbox
