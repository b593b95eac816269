// SPDX-License-Identifier: Apache-2.0
// The configuration file as the verbs read it: the document checked against this build's drivers
// and streams. Blocking; before the loop runs.
#pragma once

#include <string>
#include <string_view>

#include "firmware/control/configuration_document.hpp"
#include "hal/disk.hpp"

namespace berm::agent {

// The drivers and streams of this build; lives as long as the program.
control::ConfigurationSources build_sources();

struct ConfigurationFile {
  std::string text;  // empty where the file cannot be read: then there is a fault that says so
  control::ParsedConfiguration parsed;
};

ConfigurationFile read_configuration(const hal::Disk& disk, const std::string& path);

// `path` made absolute, since files named in it are relative to its folder.
std::string absolute_path(std::string_view path);

}  // namespace berm::agent
