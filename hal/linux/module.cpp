// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/module.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>

namespace berm::hal {

namespace {

std::string loader_reason() {
  const char* reason = ::dlerror();
  return reason == nullptr ? "no reason given" : reason;
}

}  // namespace

Result<void*> load_module(const std::string& path, const std::string& entry,
                          std::string_view build_id) {
  if (::access(path.c_str(), R_OK) != 0) return fail(system_error("module " + path, errno));
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return fail(ErrorCode::damaged, "module " + path + ": " + loader_reason());
  const void* const id = ::dlsym(module, "berm_module_build_id");
  if (id == nullptr) return fail(ErrorCode::damaged, path + " is not a module of this program");
  const std::string_view found = *static_cast<const char* const*>(id);
  if (found != build_id) {
    return fail(ErrorCode::unsupported, "module " + path + " is of build " + std::string(found) +
                                            ", this program of " + std::string(build_id));
  }
  void* const function = ::dlsym(module, entry.c_str());
  if (function == nullptr) return fail(ErrorCode::damaged, path + " has no entry " + entry);
  return function;
}

}  // namespace berm::hal
