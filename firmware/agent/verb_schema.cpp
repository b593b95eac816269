// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/verbs.hpp"
#include "firmware/event/schema.hpp"
#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

int unknown_stream(const std::string& name) {
  const auto names = event::stream_names();
  const std::string_view near = nearest(name, names);
  return complain(
      "schema",
      "unknown stream " + name + (near.empty() ? "" : ", did you mean " + std::string(near) + "?"),
      kBadUsage);
}

}  // namespace

int schema_verb(Words words) {
  const auto arguments = Arguments::parse(words, {}, 2);
  if (!arguments) return complain("schema", arguments.error().text, kBadUsage);
  const auto& plain = arguments->plain();
  if (plain.empty() || plain[0] != "json") {
    return complain("schema", "usage: berm schema json [STREAM]", kBadUsage);
  }
  if (plain.size() == 2) {
    const event::StreamSchema* schema = event::find_schema(plain[1]);
    if (schema == nullptr) return unknown_stream(plain[1]);
    std::puts(event::json_schema(*schema).c_str());
    return kDone;
  }
  for (const event::StreamSchema& schema : event::stream_schemas()) {
    std::puts(event::json_schema(schema).c_str());
  }
  return kDone;
}

}  // namespace berm::agent
