// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_message.hpp"

#include "firmware/control/limits.hpp"
#include "hal/base/base64.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

using Read = std::expected<RemoteMessage, Refusal>;

std::unexpected<Refusal> refuse(std::string reason, bool is_authentic = false) {
  return std::unexpected(Refusal{std::move(reason), is_authentic, false, std::nullopt});
}

const std::string* text_member(const Json& object, std::string_view key) {
  const Json* const value = object.find(key);
  return value != nullptr && value->is_string() ? &value->string() : nullptr;
}

// The exact bytes that were signed, and whether the node's key did it.
struct Opened {
  std::string payload;
  bool is_signed = false;
};

std::expected<Opened, Refusal> open_envelope(const Json& envelope, const Trust& trust) {
  const std::string* const payload = text_member(envelope, "payload");
  const std::string* const signature = text_member(envelope, "signature");
  if (payload == nullptr || signature == nullptr) {
    return refuse("an envelope needs payload and signature");
  }
  const auto bytes = base64_bytes(*payload);
  const auto signed_by = base64_bytes(*signature);
  if (!bytes || !signed_by) return refuse("payload and signature must be base64");
  if (!trust.key) return Opened{*bytes, false};
  const std::string* const key = text_member(envelope, "key");
  if (key != nullptr && *key != trust.key->id()) {
    return refuse("signed with the key " + key->substr(0, 64) + ", this node knows " +
                  trust.key->id());
  }
  if (!trust.key->has_signed(*bytes, *signed_by)) return refuse("the signature does not hold");
  return Opened{*bytes, true};
}

std::optional<std::int64_t> sequence_of(const Json& body) {
  const Json* const sequence = body.find("sequence");
  if (sequence == nullptr || !sequence->is_integer()) return std::nullopt;
  return sequence->integer();
}

// A bare name is its own node's: "e19-km31" for "node/e19-km31".
bool is_target(std::string_view given, std::string_view wanted) {
  if (given == wanted) return true;
  return wanted.starts_with("node/") && given == wanted.substr(5);
}

std::optional<Refusal> check_binding(const Json& body, std::string_view target,
                                     const Trust& trust) {
  Refusal refusal{{}, true, false, sequence_of(body)};
  const Json* const given = body.find("target");
  const Json* const not_after = body.find("not_after");
  if (trust.key && (given == nullptr || not_after == nullptr)) {
    refusal.reason = "a signed payload needs target and not_after";
    return refusal;
  }
  if (given != nullptr && (!given->is_string() || !is_target(given->string(), target))) {
    refusal.is_foreign = true;
    refusal.reason = "it is for another target than " + std::string(target);
    return refusal;
  }
  if (not_after == nullptr) return std::nullopt;
  const auto end_s = time_in(*not_after);
  if (!end_s) {
    refusal.reason = "/not_after: must be an ISO 8601 time or seconds since 1970";
    return refusal;
  }
  if (!trust.now_s || *trust.now_s <= *end_s) return std::nullopt;
  refusal.reason = "it was valid until " + iso8601(*end_s) + " only";
  return refusal;
}

}  // namespace

Json payload_of(const Json& message) {
  const std::string* const payload = text_member(message, "payload");
  const auto bytes = payload == nullptr ? std::nullopt : base64_bytes(*payload);
  auto body = bytes ? Json::parse(*bytes) : fail(ErrorCode::invalid, "no envelope");
  return body && body->is_object() ? std::move(*body) : message;
}

std::optional<std::int64_t> time_in(const Json& value) {
  if (value.is_integer()) return value.integer();
  if (!value.is_string()) return std::nullopt;
  const auto time_us = parse_iso8601_us(value.string());
  if (!time_us) return std::nullopt;
  return *time_us / 1'000'000;
}

Read read_message(std::string_view bytes, std::string_view target, std::size_t max_bytes,
                  const Trust& trust) {
  const bool may_be_plain = !trust.key.has_value();
  if (bytes.size() > max_bytes) {
    return refuse("longer than " + std::to_string(max_bytes) + " bytes", may_be_plain);
  }
  Json::Limits limits;
  limits.max_bytes = max_bytes;
  auto outer = Json::parse(bytes, limits);
  if (!outer) return refuse("not JSON: " + outer.error().text, may_be_plain);
  if (!outer->is_object()) return refuse("must be a JSON object", may_be_plain);
  const bool is_envelope = outer->find("payload") != nullptr || outer->find("signature") != nullptr;
  RemoteMessage message;
  if (is_envelope) {
    auto opened = open_envelope(*outer, trust);
    if (!opened) return std::unexpected(std::move(opened.error()));
    auto body = Json::parse(opened->payload, limits);
    if (!body) return refuse("the payload is not JSON: " + body.error().text, true);
    if (!body->is_object()) return refuse("the payload must be a JSON object", true);
    message = {std::move(*body), opened->is_signed};
  } else {
    if (trust.key)
      return refuse("not signed, and this node takes only what key " + trust.key->id() +
                    " has signed");
    message = {std::move(*outer), false};
  }
  if (auto refusal = check_binding(message.body, target, trust)) {
    return std::unexpected(std::move(*refusal));
  }
  return message;
}

std::string signed_envelope(std::string_view payload, const PrivateKey& key) {
  Json envelope;
  envelope.set("payload", base64(payload));
  envelope.set("key", key.public_key().id());
  envelope.set("signature", base64(key.sign(payload)));
  return envelope.to_text();
}

}  // namespace berm::control
