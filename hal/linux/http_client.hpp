// SPDX-License-Identifier: Apache-2.0
// Loads the HTTP client (libcurl) as the module berm-http.so, when the configuration names HTTP: a
// program that never does maps neither libcurl nor its thirty libraries (5.9 MB). Used by the
// agent.
//
// What the client promises stands in curl_client.hpp; its code and libcurl are in the module only.
// Thread: the loop's, at start: it blocks for some milliseconds. Lifetime: loop > client; the
// module stays mapped. Fails: as load_module, naming the file.
#pragma once

#include <memory>
#include <string>

#include "hal/base/result.hpp"
#include "hal/http_client.hpp"
#include "hal/linux/loop.hpp"

namespace berm::hal {

inline constexpr char kHttpModule[] = "berm-http.so";
inline constexpr char kHttpModuleEntry[] = "berm_http_client_create";

// The function kHttpModuleEntry.
using HttpModuleEntry = void (*)(EpollLoop& loop, Result<std::unique_ptr<HttpClient>>& client);

// lib/berm beside the folder of the running program: where both the build and the package put
// modules.
Result<std::string> default_module_directory();

Result<std::unique_ptr<HttpClient>> load_http_client(EpollLoop& loop,
                                                     const std::string& module_directory);

}  // namespace berm::hal
