// SPDX-License-Identifier: Apache-2.0
// Any bytes as a configuration document: faults or a whole configuration, never both or neither;
// the effective document of a sound one is sound and its own effective document.
#include <cstdint>
#include <string_view>

#include "hal/base/assert.hpp"
#include "tests/unit/firmware/control/example_sources.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto sources = berm::control::example_sources();
  const auto parsed = berm::control::parse_configuration(text, "/d/f.json", sources);
  BERM_ASSERT(parsed.configuration.has_value() == parsed.faults.empty());
  for (const std::string& fault : parsed.faults) BERM_ASSERT(fault.starts_with("/d/f.json:"));
  if (!parsed.configuration) return 0;
  const auto again = berm::control::check_document(parsed.effective, "/d/f.json", sources);
  BERM_ASSERT(again.faults.empty() && again.sha256 == parsed.sha256);
  return 0;
}
