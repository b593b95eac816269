// SPDX-License-Identifier: Apache-2.0
// What stands where a file of ours belongs and cannot serve as one: a directory, or a file that
// this user may not read and write. It is renamed to `<name>.displaced-N`, nothing is removed; the
// outbox then goes on as if the file were missing. Blocking; executor, or before the loop runs.
// Fails where the directory does not let us rename, or kMaxDisplaced stand there already.
#pragma once

#include <string>
#include <string_view>

#include "hal/base/result.hpp"
#include "hal/disk.hpp"

namespace berm::outbox {

// Empty: it is missing or can be used. Else why not.
std::string why_unusable(hal::Disk& disk, const std::string& path);

// True: something stood there, and is displaced.
Result<bool> displace(hal::Disk& disk, const std::string& directory, std::string_view name);

}  // namespace berm::outbox
