// SPDX-License-Identifier: Apache-2.0
// Ranges as stored in the database and in gap records, and the sidecar file: any text is refused,
// or reads back the same once written.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "firmware/outbox/identity.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/manifest_sums.hpp"
#include "firmware/outbox/range_set.hpp"
#include "hal/base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berm::outbox;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto set = RangeSet::parse(text)) {
    const auto again = RangeSet::parse(set->to_text());
    BERM_ASSERT(again.has_value() && *again == *set);
    const auto bounded = RangeSet::parse(text, 4);
    BERM_ASSERT(bounded.has_value() && bounded->ranges().size() <= 4);
    for (const Range& range : set->ranges()) {
      BERM_ASSERT(bounded->contains(range.first) && bounded->contains(range.last));
    }
  }
  if (const auto sidecar = parse_sidecar(text); sidecar && sidecar->size() <= kMaxEpochsNamed) {
    const auto again = parse_sidecar(sidecar_text(*sidecar));
    BERM_ASSERT(again.has_value() && *again == *sidecar);
  }
  if (const auto debt = ManifestDebt::parse(text)) {
    const auto again = ManifestDebt::parse(debt->to_text());
    BERM_ASSERT(again.has_value() && *again == *debt);
  }
  return 0;
}
