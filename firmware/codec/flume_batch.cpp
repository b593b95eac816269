// SPDX-License-Identifier: Apache-2.0
#include "firmware/codec/flume_batch.hpp"

#include "hal/base/json_writer.hpp"

namespace berm::codec {
namespace {

constexpr std::size_t kHeaderBytesGuess = 320;

std::size_t guess_bytes(std::span<const Outgoing> batch) {
  std::size_t bytes = 2;
  // Every quote of the line becomes two characters: about a fifth more.
  for (const Outgoing& outgoing : batch) {
    bytes += outgoing.event->line.size() * 6 / 5 + kHeaderBytesGuess;
  }
  return bytes;
}

}  // namespace

void append_flume_batch(std::span<const Outgoing> batch, const EventHeaders& headers,
                        std::string& out) {
  out.reserve(out.size() + guess_bytes(batch));
  std::string scratch;
  out.push_back('[');
  for (const Outgoing& outgoing : batch) {
    if (&outgoing != batch.data()) out.push_back(',');
    std::string_view before = "{\"headers\":{\"";
    headers.visit(outgoing, scratch, [&](std::string_view name, std::string_view value) {
      out.append(before).append(name).append("\":");
      append_json_string(out, value);
      before = ",\"";
    });
    out.append("},\"body\":");
    append_json_string(out, outgoing.event->line);
    out.push_back('}');
  }
  out.push_back(']');
}

}  // namespace berm::codec
