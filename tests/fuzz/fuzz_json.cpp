// SPDX-License-Identifier: Apache-2.0
// Any bytes: Json::parse refuses or gives a value that survives being written and read again.
#include <cstdint>
#include <string_view>

#include "hal/base/assert.hpp"
#include "hal/base/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (const bool comments : {false, true}) {
    berm::Json::Limits limits;
    limits.comments = comments;
    const auto json = berm::Json::parse(text, limits);
    if (!json) continue;
    limits.max_bytes = 64U << 20U;
    const auto again = berm::Json::parse(json->to_text(), limits);
    BERM_ASSERT(again.has_value() && *again == *json);
    const auto pretty = berm::Json::parse(json->to_text(true), limits);
    BERM_ASSERT(pretty.has_value() && *pretty == *json);
    BERM_ASSERT(berm::merge_patch(*json, berm::Json(berm::Json::Object{})).is_object());
  }
  return 0;
}
