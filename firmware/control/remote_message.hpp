// SPDX-License-Identifier: Apache-2.0
// RemoteMessage: what arrives on `…/config/set` or `…/cmd/{id}`, taken apart and judged by who sent
// it. Either the plain JSON text, or `{"payload": base64 of the exact JSON text, "key",
// "signature": base64}` signed by Ed25519. With a key (Trust::key) only what it signed is
// authentic, and what it signed is bound: `target` must be who receives it, `not_after` must not be
// over (where the clock is known). Without a key anything is authentic, signature or not; target
// and not_after hold where they are given.
//
// Judged in this order, so that nobody without the key makes the node do more than one check of a
// signature: size, envelope, signature, JSON, target, expiry. `is_authentic` false means that the
// message must leave no trace but a count and a report. Times are ISO 8601 or seconds since 1970.
// Pure; any thread. Source: RFC 8032; contract, "Remote control".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hal/base/json.hpp"
#include "hal/base/result.hpp"
#include "hal/base/signature.hpp"

namespace berm::control {

struct Trust {
  std::optional<PublicKey> key;       // none: unsigned documents are allowed
  std::optional<std::int64_t> now_s;  // none: the clock is not known
};

struct RemoteMessage {
  Json body;               // the payload: an object
  bool is_signed = false;  // by the node's key
};

struct Refusal {
  std::string reason;
  bool is_authentic = false;  // it came from who may send it
  bool is_foreign = false;    // it is for somebody else: its sequence is none of ours
  std::optional<std::int64_t> sequence;
};

// `target`: "node/e19-km31", "group/flanders"; of a command its id's too: "cmd/e19-km31/ID".
std::expected<RemoteMessage, Refusal> read_message(std::string_view bytes, std::string_view target,
                                                   std::size_t max_bytes, const Trust& trust);

// The signed form of `payload`, as `berm sign` prints it.
std::string signed_envelope(std::string_view payload, const PrivateKey& key);

// What an envelope holds, signed by whomever; of a plain message: itself.
Json payload_of(const Json& message);

// Seconds since 1970 from a member that is ISO 8601 or an integer; nothing: it is neither.
std::optional<std::int64_t> time_in(const Json& value);

}  // namespace berm::control
