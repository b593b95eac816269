// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/configuration_file.hpp"

#include <filesystem>

#include "drivers/api/driver_table.hpp"
#include "firmware/control/limits.hpp"
#include "firmware/event/schema.hpp"

namespace berm::agent {
namespace {

control::WhenFull when_full_of(event::WhenFull when_full) {
  switch (when_full) {
    case event::WhenFull::conserve:
      return control::WhenFull::conserve;
    case event::WhenFull::refuse:
      return control::WhenFull::refuse;
    case event::WhenFull::oldest:
      break;
  }
  return control::WhenFull::oldest;
}

std::vector<control::KnownStream> known_streams() {
  std::vector<control::KnownStream> streams;
  for (const event::StreamSchema& schema : event::stream_schemas()) {
    streams.push_back({schema.name, schema.topic, schema.group_ms, when_full_of(schema.when_full)});
  }
  return streams;
}

}  // namespace

control::ConfigurationSources build_sources() {
  static const std::vector<control::KnownStream> kStreams = known_streams();
  return {drivers::driver_table(), kStreams};
}

ConfigurationFile read_configuration(const hal::Disk& disk, const std::string& path) {
  ConfigurationFile file;
  auto text = disk.read(path, control::kMaxDocumentBytes);
  if (!text) {
    file.parsed.faults.push_back(path + ": " + text.error().text);
    return file;
  }
  file.text = std::move(*text);
  file.parsed = control::parse_configuration(file.text, path, build_sources());
  return file;
}

std::string absolute_path(std::string_view path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(std::filesystem::path(path), error);
  return error ? std::string(path) : absolute.lexically_normal().string();
}

}  // namespace berm::agent
