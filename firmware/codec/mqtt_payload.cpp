// SPDX-License-Identifier: Apache-2.0
#include "firmware/codec/mqtt_payload.hpp"

#include "hal/base/assert.hpp"

namespace berm::codec {
namespace {

std::string join_lines(std::span<const Outgoing> batch) {
  std::size_t bytes = 0;
  for (const Outgoing& outgoing : batch) bytes += outgoing.event->line.size() + 1;
  std::string lines;
  lines.reserve(bytes);
  for (const Outgoing& outgoing : batch) {
    BERM_ASSERT(outgoing.event->schema == batch.front().event->schema);
    lines.append(outgoing.event->line).push_back('\n');
  }
  return lines;
}

}  // namespace

MqttText write_mqtt_text(std::span<const Outgoing> batch, const EventHeaders& headers,
                         MqttPayload kind) {
  BERM_ASSERT(!batch.empty());
  BERM_ASSERT(kind == MqttPayload::lines || batch.size() == 1);
  const event::Event& first = *batch.front().event;
  MqttText text;
  text.topic.append("berm/").append(headers.node()).append("/event/").append(first.schema->name);
  std::string scratch;
  headers.visit(batch.front(), scratch, [&](std::string_view name, std::string_view value) {
    text.user_properties.emplace_back(name, value);
  });
  if (kind == MqttPayload::lines) {
    text.user_properties.emplace_back("count", std::to_string(batch.size()));
    text.content_type = "application/x-ndjson";
    text.payload = join_lines(batch);
  } else {
    text.content_type = "application/json";
    text.payload = first.line;
  }
  return text;
}

}  // namespace berm::codec
