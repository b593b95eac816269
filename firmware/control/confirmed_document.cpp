// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/confirmed_document.hpp"

#include "firmware/control/checked_file.hpp"
#include "firmware/control/limits.hpp"

namespace berm::control {
namespace {

CheckedFile file_in(const std::string& state_directory) {
  return {state_directory + "/confirmed.json",
          "// the last confirmed configuration; sha256 of what follows: ", kMaxDocumentBytes};
}

}  // namespace

Result<void> save_confirmed(hal::Disk& disk, const std::string& state_directory,
                            std::string_view text) {
  return save_checked(disk, file_in(state_directory), text);
}

Result<std::string> load_confirmed(const hal::Disk& disk, const std::string& state_directory) {
  return load_checked(disk, file_in(state_directory));
}

}  // namespace berm::control
