// SPDX-License-Identifier: Apache-2.0
// What the parts of a Store work on together. Everything outlives them; executor thread only.
#pragma once

#include "firmware/outbox/books.hpp"
#include "firmware/outbox/outbox.hpp"
#include "firmware/outbox/segment.hpp"
#include "firmware/outbox/tables.hpp"
#include "hal/clock.hpp"

namespace berm::outbox {

struct Core {
  const OutboxOptions& options;
  hal::Clock& clock;
  Tables& tables;
  Books& books;
  SegmentCodec& codec;
};

}  // namespace berm::outbox
