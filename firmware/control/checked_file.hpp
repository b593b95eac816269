// SPDX-License-Identifier: Apache-2.0
// A small file that is there whole or not at all: one comment line that ends in the SHA-256 of all
// that follows, then the text. Written by Disk::write_whole, so a power cut at any step leaves the
// old one or the new one; whatever else happens to it shows in the sum. Blocks: on the executor, or
// before the loop runs. Fails: not_found, damaged (the sum does not hold), full (longer than
// `max_bytes`), or what the disk says.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "hal/base/result.hpp"
#include "hal/disk.hpp"

namespace berm::control {

struct CheckedFile {
  std::string path;
  std::string_view head;  // the comment, up to the sum
  std::size_t max_bytes = 0;
};

// Writes nothing where the same text is there already.
Result<void> save_checked(hal::Disk& disk, const CheckedFile& file, std::string_view text);
Result<std::string> load_checked(const hal::Disk& disk, const CheckedFile& file);

}  // namespace berm::control
