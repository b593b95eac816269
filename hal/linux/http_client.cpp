// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/http_client.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "hal/linux/module.hpp"

namespace berm::hal {

Result<std::string> default_module_directory() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) return fail(system_error("reading /proc/self/exe", errno));
  const std::string_view program(path.data(), static_cast<std::size_t>(length));
  const auto slash = program.rfind('/');
  if (slash == std::string_view::npos) return fail(ErrorCode::not_found, "the program's folder");
  return std::string(program.substr(0, slash)) + "/../lib/berm";
}

Result<std::unique_ptr<HttpClient>> load_http_client(EpollLoop& loop,
                                                     const std::string& module_directory) {
  BERM_TRY(void* const address,
           load_module(module_directory + "/" + kHttpModule, kHttpModuleEntry));
  const auto entry = reinterpret_cast<HttpModuleEntry>(address);
  Result<std::unique_ptr<HttpClient>> client = fail(ErrorCode::unavailable, "HTTP: not made");
  entry(loop, client);
  return client;
}

}  // namespace berm::hal
