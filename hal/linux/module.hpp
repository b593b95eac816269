// SPDX-License-Identifier: Apache-2.0
// Modules: parts that are loaded only when the configuration names them, because their libraries
// cost memory merely by being linked (libcurl: 5.9 MB). A module is a shared object with one extern
// "C" entry function and the build id of the tree it comes from, which must be ours: the two share
// C++ types.
//
// The module says, once, at namespace scope:  BERM_MODULE_BUILD_ID;
// kBuildId (generated) is version, compiler and a hash of the headers of hal/base and hal/include:
// any change of a shared type makes another id.
//
// load_module maps it with RTLD_NOW|RTLD_LOCAL and never unmaps it (its library may have threads
// and exit handlers). The code of a module that is refused stays mapped but nothing of ours in it
// is called. Thread: the loop's or main's, blocks for some milliseconds (reading from disk): at
// start only. Fails: not_found (no such file), damaged (no module, entry missing), unsupported
// (another build).
#pragma once

#include <string>
#include <string_view>

#include "berm_build_id.hpp"
#include "hal/base/result.hpp"

#define BERM_MODULE_BUILD_ID                                                    \
  extern "C" {                                                                  \
  [[gnu::visibility("default")]] extern const char* const berm_module_build_id; \
  const char* const berm_module_build_id = ::berm::hal::kBuildId;               \
  }                                                                             \
  static_assert(true)

namespace berm::hal {

// The address of the function named `entry`; the caller knows its type.
Result<void*> load_module(const std::string& path, const std::string& entry,
                          std::string_view build_id = kBuildId);

}  // namespace berm::hal
