// SPDX-License-Identifier: Apache-2.0
// What an MQTT v5 message of events holds (contract: "MQTT"):
//   topic            berm/{node}/event/{stream}
//   payload `lines`  the batch, one line per event, each ended by a newline (all of one stream and
//   epoch) payload `event`  one event's line without a newline user properties  the headers of the
//   first event; for `lines` also `count`
// Pure; any thread. The hal's message type is filled by the transport, so that nothing here knows
// hal.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "firmware/codec/event_headers.hpp"

namespace berm::codec {

enum class MqttPayload { lines, event };

struct MqttText {
  std::string topic;
  std::string payload;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> user_properties;
};

// Precondition: the batch is not empty, of one stream; with `event` it has exactly one event.
MqttText write_mqtt_text(std::span<const Outgoing> batch, const EventHeaders& headers,
                         MqttPayload kind);

}  // namespace berm::codec
