// SPDX-License-Identifier: Apache-2.0
// Who this outbox is [outbox-2]: a random epoch, and the sidecar file `outbox.identity` beside the
// database that names the epochs and streams it has held, with their numbers there, so that after
// the database is damaged or gone the gap records can still say what is missing, and rows that can
// still be read have a name. The file is written whole (durable) before the first event of a stream
// is committed: once per stream and epoch. At most kMaxEpochsNamed epochs, newest last. Executor
// thread (or before the loop runs).
#pragma once

#include <string>
#include <vector>

#include "hal/base/result.hpp"
#include "hal/disk.hpp"
#include "hal/random.hpp"

namespace berm::outbox {

// 12 characters of 0-9a-z.
std::string make_epoch(hal::Random& random);

struct NamedEpoch {
  std::string epoch;
  std::string node;
  std::vector<std::string> streams;
  std::vector<std::int64_t> series;  // of each stream its number in the database; or empty
  bool operator==(const NamedEpoch&) const = default;
};

using Sidecar = std::vector<NamedEpoch>;

std::string sidecar_text(const Sidecar& sidecar);
Result<Sidecar> parse_sidecar(std::string_view text);

// Missing or unreadable: empty (what it says is then not known).
Sidecar read_sidecar(hal::Disk& disk, const std::string& directory);
Result<void> write_sidecar(hal::Disk& disk, const std::string& directory, const Sidecar& sidecar);

}  // namespace berm::outbox
