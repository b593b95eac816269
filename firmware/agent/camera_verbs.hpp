// SPDX-License-Identifier: Apache-2.0
// The verbs of `berm-camera`, one file each; words after the verb in, exit code of the contract
// out. And what they share: the options of one camera_counter out of a configuration file.
#pragma once

#include <string>
#include <vector>

#include "drivers/camera_counter/options.hpp"
#include "firmware/agent/verbs.hpp"
#include "hal/base/json.hpp"
#include "hal/base/result.hpp"

namespace berm::agent {

int camera_count_verb(Words words);
int camera_score_verb(Words words);
int camera_work_verb(Words words);

// "berm-camera VERB: text" on standard error; returns `code`.
int complain_camera(std::string_view verb, std::string_view text, int code);

// The camera_counter named `driver` in `file`, or the only one. Only its own options are checked:
// the rest of the document is the agent's.
Result<drivers::camera_counter::CounterOptions> read_camera(const std::string& file,
                                                            const std::string& driver);

// The options of one camera_counter given as a document of its own.
Result<drivers::camera_counter::CounterOptions> parse_camera(const Json& own,
                                                             const std::string& name);

}  // namespace berm::agent
