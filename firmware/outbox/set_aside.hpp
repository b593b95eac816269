// SPDX-License-Identifier: Apache-2.0
// The shelf of events a receiver refused [uplink-3]: each is kept with its line, closed for that
// uplink by a gap record with cause `refused`, and can be put back into its queue. At most
// kMaxSetAside are kept, the oldest go first (their gap records stand). Inside an open transaction.
// Executor thread only.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "firmware/outbox/core.hpp"
#include "firmware/outbox/reader.hpp"

namespace berm::outbox {

struct Refusal {
  SeriesIndex series = 0;
  std::int64_t seq = 0;
  std::string reason;
};

class Shelf {
 public:
  explicit Shelf(Core core) : core_(core) {}
  Result<void> put(UplinkIndex uplink, Reader& reader, std::span<const Refusal> refusals);
  Result<std::vector<SetAside>> list(std::int64_t from, std::size_t max);
  Result<void> put_back(std::int64_t number);

 private:
  Result<std::optional<std::int64_t>> put_one(UplinkIndex uplink, Reader& reader,
                                              const Refusal& refusal);
  Core core_;
};

}  // namespace berm::outbox
