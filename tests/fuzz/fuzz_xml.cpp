// SPDX-License-Identifier: Apache-2.0
// Any bytes, cut anywhere: XmlReader tells well-nested elements within its limits, the same whether
// the document comes whole or in pieces, and fails for good.
#include <cstdint>
#include <string>

#include "hal/base/assert.hpp"
#include "hal/base/xml.hpp"

namespace {

constexpr berm::XmlLimits kLimits{.max_bytes = 60'000,
                                  .max_token_bytes = 20'000,
                                  .max_text_bytes = 200,
                                  .max_name_bytes = 40,
                                  .max_value_bytes = 60,
                                  .max_depth = 6};

class Judge final : public berm::XmlHandler {
 public:
  std::string_view start(std::string_view name,
                         std::span<const berm::XmlAttribute> attributes) override {
    BERM_ASSERT(++depth <= kLimits.max_depth && name.size() <= kLimits.max_name_bytes);
    BERM_ASSERT(attributes.size() <= berm::kMaxXmlAttributes);
    told.append("<").append(name);
    for (const auto& one : attributes) {
      BERM_ASSERT(one.value.size() <= kLimits.max_value_bytes);
      told.append(" ").append(one.name).append("=").append(one.value);
    }
    return name == "stop" ? "stop" : "";
  }
  std::string_view text(std::string_view text) override {
    BERM_ASSERT(depth > 0 && !text.empty() && text.size() <= kLimits.max_text_bytes);
    told.append("'").append(text);
    return {};
  }
  std::string_view end(std::string_view name) override {
    BERM_ASSERT(--depth >= 0);
    told.append(">").append(name);
    return {};
  }
  int depth = 0;
  std::string told;
};

bool read(std::string_view text, std::size_t piece, std::string& told) {
  Judge judge;
  berm::XmlReader reader(judge, kLimits);
  berm::Result<void> result;
  for (std::size_t at = 0; at < text.size() && result; at += piece) {
    result = reader.feed(text.substr(at, piece));
  }
  const bool is_fed = result.has_value();
  if (is_fed) result = reader.finish();
  BERM_ASSERT(result || (!result.error().text.empty() && (is_fed || !reader.feed("<a/>"))));
  BERM_ASSERT(!result || judge.depth == 0);
  told = judge.told;
  return result.has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  std::string whole;
  std::string pieces;
  const bool is_whole = read(text, text.size() + 1, whole);
  const bool is_pieces = read(text, bytes[0] % 64U + 1U, pieces);
  BERM_ASSERT(is_whole == is_pieces);
  BERM_ASSERT(!is_whole || whole == pieces);
  return 0;
}
