// SPDX-License-Identifier: Apache-2.0
// Board: which connectors a device has and whether its clock can be believed, read from
// boards/NAME/board.json beside the program (share/berm/boards, in the build tree as when
// installed). Data only. Blocking; before the loop runs.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "hal/base/result.hpp"
#include "hal/disk.hpp"

namespace berm::agent {

struct Connector {
  std::string chip;  // "gpiochip0"
  std::uint32_t line = 0;
};

struct Board {
  std::string name;
  bool is_rtc_trusted = false;                  // clock: "rtc"
  std::map<std::string, Connector> connectors;  // "header/11"
};

// Error not_found names the boards there are; invalid says what is wrong in board.json.
Result<Board> load_board(const hal::Disk& disk, const std::string& directory,
                         const std::string& name);

// ../share/berm/boards beside the running program.
std::string default_boards_directory();

}  // namespace berm::agent
