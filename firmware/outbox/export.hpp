// SPDX-License-Identifier: Apache-2.0
// Export: what an outbox keeps, as event lines, byte for byte as they are or were delivered (an
// event that still waits for its clock has no final line yet: it is counted, not written). Of a
// running outbox in parts between its other work (Outbox::read_on); of one that nobody holds,
// whole, with everything that can still be read: the database, and the damaged ones that were set
// aside, whatever their state. Nothing is written to any of them. Order: epoch by epoch, stream by
// stream, by sequence. Every event once. Memory: one part of kExportBytes, one expanded segment,
// the ranges already written.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "firmware/outbox/core.hpp"
#include "firmware/outbox/outbox.hpp"

namespace berm::outbox {

// One part of a running outbox. Executor thread.
Result<ExportPart> export_part(Core core, const ExportFilter& filter, ExportPlace place);

struct ExportSummary {
  std::int64_t events = 0;
  std::int64_t unsettled = 0;   // without a final line
  std::int64_t unreadable = 0;  // places where a stretch could not be read; open ended ones too
  std::vector<std::string> notes;
};

// False: whoever reads has had enough.
using ExportLines = std::function<bool(std::string_view lines)>;

// Blocking. Error exists: an agent holds it (says which); not_found: there is no outbox in that
// directory; otherwise: nothing of it could be read.
Result<ExportSummary> export_outbox(hal::Disk& disk, const std::string& directory,
                                    const ExportFilter& filter, const ExportLines& lines);

}  // namespace berm::outbox
