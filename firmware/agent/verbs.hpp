// SPDX-License-Identifier: Apache-2.0
// The verbs of `berm`, one file each. Each gets the words after its name and returns the exit code
// of the contract: 0 done, 1 failed at run time, 2 bad usage or configuration.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hal/base/result.hpp"

namespace berm::agent {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kBadUsage = 2;

inline constexpr std::string_view kDefaultConfig = "/etc/berm/berm.json";
inline constexpr std::string_view kDefaultState = "/var/lib/berm";
inline constexpr std::string_view kDefaultSocket = "/run/berm/shell.sock";

using Words = std::span<const std::string_view>;

int run_verb(Words words);
int check_verb(Words words);
int status_verb(Words words);
int shell_verb(Words words);
int replay_verb(Words words);
int audit_verb(Words words);
int export_verb(Words words);
int schema_verb(Words words);
int sign_verb(Words words);
int fleet_verb(Words words);

// "berm VERB: text" on standard error; returns `code`.
int complain(std::string_view verb, std::string_view text, int code);

}  // namespace berm::agent
