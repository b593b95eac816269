// SPDX-License-Identifier: Apache-2.0
// Any bytes as a document or command from afar. With a key nothing is authentic but what it signed,
// and that only unchanged: the target flips one bit of an envelope of its own at a place that the
// input chooses. What is taken is well-formed; a state made of it comes back as it was.
#include <cstdint>
#include <string>
#include <string_view>

#include "firmware/control/limits.hpp"
#include "firmware/control/remote_message.hpp"
#include "firmware/control/remote_rules.hpp"
#include "firmware/control/remote_state.hpp"
#include "firmware/control/set_message.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/base64.hpp"
#include "tests/unit/firmware/control/example_sources.hpp"

namespace {

using namespace berm::control;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::string_view kPayload =
    R"({"sequence":7,"document":{},"target":"node/n1","not_after":1900000000})";

const berm::PrivateKey& key() {
  static const berm::PrivateKey kKey = berm::PrivateKey::generate();
  return kKey;
}

void try_changed(std::string_view text) {
  static const std::string kEnvelope = signed_envelope(kPayload, key());
  if (text.size() < 3) return;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::string changed = kEnvelope;
  const std::size_t at = (byte(0) * 256u + byte(1)) % changed.size();
  changed[at] = static_cast<char>(changed[at] ^ (1 << (byte(2) % 8)));
  const auto message =
      read_message(changed, "node/n1", kMaxEnvelopeBytes, {key().public_key(), kNow});
  // A bit may fall on a name that nobody reads ("key"); then it is the same document.
  if (message) BERM_ASSERT(message->body == *berm::Json::parse(kPayload));
}

void try_body(const berm::Json& body) {
  const auto set = read_set_message(body);
  if (!set) return;
  BERM_ASSERT(set->sequence >= 1 && set->sequence <= kMaxSequence);
  if (set->rollout) {
    const auto offset = rollout_offset_s(*set->rollout, "n1");
    BERM_ASSERT(offset >= 0 && offset <= set->rollout->spread_s);
  }
  RemoteState state;
  state.layers["node"] = {set->sequence, "active", set->sequence, set->document,
                          false,         set->who, set->why};
  const auto again = remote_state_from(to_text(state));
  BERM_ASSERT(again.has_value());
  berm::Json::Limits limits;
  limits.comments = true;
  static const berm::Json kFile = *berm::Json::parse(kExampleDocument, limits);
  const berm::Json merged = state.merged(kFile, {});
  const auto parsed = check_document(merged, "/d/f.json", example_sources());
  if (!parsed.configuration) return;
  const auto forbidden = forbidden_changes(kFile, merged, false, example_sources());
  if (forbidden.empty()) BERM_ASSERT(parsed.configuration->node == "e19-km31");
  static_cast<void>(without_secrets(merged).to_text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto locked = read_message(text, "node/n1", kMaxEnvelopeBytes, {key().public_key(), kNow});
  BERM_ASSERT(!locked.has_value() && !locked.error().is_authentic);
  try_changed(text);
  const auto open = read_message(text, "node/n1", kMaxEnvelopeBytes, {std::nullopt, kNow});
  if (open) try_body(open->body);
  const auto decoded = berm::base64_bytes(text);
  if (decoded) BERM_ASSERT(berm::base64(*decoded) == text);
  return 0;
}
