// SPDX-License-Identifier: Apache-2.0
// The last confirmed configuration document, kept in the state directory: what `berm run` falls
// back on when the configuration file is bad. One file, `confirmed.json`: a comment line with the
// SHA-256 of all that follows, then the document as it was. One file because two could be torn
// apart by a power cut; written whole (temporary, sync, rename), so at any moment there is the old
// one or the new one. Blocks: call it on the executor or before the loop runs. Fails: not_found
// (none was ever kept), damaged (the sum does not hold), or what the disk says.
#pragma once

#include <string>
#include <string_view>

#include "hal/base/result.hpp"
#include "hal/disk.hpp"

namespace berm::control {

// `text` is at most kMaxDocumentBytes. Writes nothing where the same document is there already.
Result<void> save_confirmed(hal::Disk& disk, const std::string& state_directory,
                            std::string_view text);
Result<std::string> load_confirmed(const hal::Disk& disk, const std::string& state_directory);

}  // namespace berm::control
