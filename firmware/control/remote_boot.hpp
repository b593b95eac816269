// SPDX-License-Identifier: Apache-2.0
// With which configuration a life begins: the file, or the last confirmed one where the file is
// bad, and over it the remote layers that are in force. A document that was being tried when the
// last life ended is gone back from; a file that has changed and is valid becomes the active
// document, and the layers are out of force until a higher sequence comes; layers that no longer
// fit the file (another program version) are left out too. Each of these is in the state's `last`
// and its history. Blocking; before the loop runs. Used by `berm run` and the simulator alike.
#pragma once

#include <string>
#include <string_view>

#include "firmware/control/configuration_document.hpp"
#include "firmware/control/remote_state.hpp"
#include "hal/disk.hpp"

namespace berm::control {

struct Boot {
  // Of what is to run; without a configuration: there is none, `faults` says why.
  ParsedConfiguration parsed;
  std::string file_text;   // of the file layer, as confirmed or to be confirmed
  Json file;               // the same, parsed
  std::string file_fault;  // why the configuration file is not what runs; empty: it is
  RemoteState state;
  std::string trouble;  // of the stored state: damaged, or could not be written; empty: none
};

Boot boot_configuration(hal::Disk& disk, const std::string& state_directory,
                        const std::string& file_name, const ConfigurationSources& sources);

// The same with the file's text at hand.
Boot boot_with(hal::Disk& disk, const std::string& state_directory, const std::string& file_name,
               Result<std::string> file_text, const ConfigurationSources& sources);

// What an entry of the history asks of the disk.
struct HistoryWork {
  std::int64_t number = 0;
  HistoryDocument document;
  std::vector<std::int64_t> forgotten;
  // Blocking. Without its document an entry still says who, when and why.
  void write(hal::Disk& disk, const std::string& directory) const;
};
// Adds the entry; the oldest beyond kHistoryKept go.
HistoryWork remember(RemoteState& state, HistoryEntry entry, HistoryDocument document);

// All layers out of force; their floors stay.
void lay_down_layers(RemoteState& state);

}  // namespace berm::control
