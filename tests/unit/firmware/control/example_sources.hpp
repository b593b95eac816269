// SPDX-License-Identifier: Apache-2.0
// What the tests and the fuzz target of firmware/control check documents against: two drivers, made
// up but with the shape of real ones, and four streams.
#pragma once

#include <string>
#include <string_view>

#include "firmware/control/configuration_document.hpp"

namespace berm::control {

ConfigurationSources example_sources();

// The example of the contract, but for the drivers' own keys.
extern const std::string_view kExampleDocument;

// A small sound document with `patch` merged into it.
std::string document_with(std::string_view patch);

// All fault lines of it, each ended by a newline; empty: it is sound.
std::string faults_of(std::string_view document);
std::string faults_with(std::string_view patch);

}  // namespace berm::control
