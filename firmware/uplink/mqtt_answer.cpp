// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/mqtt_answer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "firmware/uplink/limits.hpp"
#include "hal/base/text.hpp"

namespace berm::uplink {
namespace {

constexpr int kNoSubscriber = 16;
constexpr int kNotAuthorized = 135;
constexpr int kTakenOver = 142;
constexpr int kBadTopicName = 144;
constexpr int kPacketTooLarge = 149;
constexpr int kBadPayloadFormat = 153;

constexpr std::array<std::pair<int, const char*>, 30> kNames = {{
    {0, "success"},
    {16, "no matching subscribers"},
    {128, "unspecified error"},
    {129, "malformed packet"},
    {130, "protocol error"},
    {131, "implementation specific error"},
    {132, "unsupported protocol version"},
    {133, "client identifier not valid"},
    {134, "bad user name or password"},
    {135, "not authorized"},
    {136, "server unavailable"},
    {137, "server busy"},
    {138, "banned"},
    {139, "server shutting down"},
    {140, "bad authentication method"},
    {141, "keep alive timeout"},
    {142, "session taken over"},
    {143, "topic filter invalid"},
    {144, "topic name invalid"},
    {145, "packet identifier in use"},
    {147, "receive maximum exceeded"},
    {148, "topic alias invalid"},
    {149, "packet too large"},
    {150, "message rate too high"},
    {151, "quota exceeded"},
    {152, "administrative action"},
    {153, "payload format invalid"},
    {154, "retain not supported"},
    {155, "quality of service not supported"},
    {159, "connection rate exceeded"},
}};

bool is_about_credentials(int reason) {
  return reason == 133 || reason == 134 || reason == kNotAuthorized || reason == 138 ||
         reason == 140;
}

}  // namespace

std::string name_of_reason(int reason) {
  const auto* const found = std::find_if(kNames.begin(), kNames.end(),
                                         [&](const auto& name) { return name.first == reason; });
  return text_of("%d %s", reason, found == kNames.end() ? "unknown reason" : found->second);
}

Answer read_puback(int reason, bool pass_without_subscriber) {
  Answer answer{Verdict::failed, "MQTT " + name_of_reason(reason)};
  if (reason == kNoSubscriber && !pass_without_subscriber) {
    answer.trouble = Trouble::no_subscriber;
  } else if (reason < kRefusedFrom) {
    answer.verdict = Verdict::delivered;
  } else if (reason == kBadTopicName || reason == kPacketTooLarge || reason == kBadPayloadFormat) {
    answer.verdict = Verdict::refused;
    answer.can_set_aside = true;
  } else if (is_about_credentials(reason)) {
    answer.trouble = Trouble::not_authorized;
  }
  return answer;
}

Loss read_connack(int reason) {
  Loss loss{"the broker refuses the connection: MQTT " + name_of_reason(reason)};
  if (is_about_credentials(reason)) loss.trouble = Trouble::not_authorized;
  return loss;
}

Loss read_disconnect(const Error& error, int reason) {
  if (reason == 0) {
    Loss loss{error.text};
    if (error.code == ErrorCode::permission) loss.trouble = Trouble::certificate;
    return loss;
  }
  Loss loss{"the broker ended the connection: MQTT " + name_of_reason(reason)};
  if (reason == kTakenOver) {
    loss.trouble = Trouble::identity_used_twice;
    loss.wait = kTakeoverWait;
  } else if (is_about_credentials(reason)) {
    loss.trouble = Trouble::not_authorized;
  }
  loss.too_large = reason == kPacketTooLarge;
  return loss;
}

}  // namespace berm::uplink
