// SPDX-License-Identifier: Apache-2.0
// What both Linux benches need: the epoll loop run until something holds, a temporary folder,
// certificates.
#pragma once

#include <filesystem>
#include <string>

#include "hal/linux/loop.hpp"
#include "tests/contract/network/bench.hpp"
#include "tests/contract/network/child.hpp"

namespace berm::hal::contract {

inline bool run_epoll_until(EpollLoop& loop, const Condition& condition, Seconds limit) {
  const MonoTime give_up_at = loop.now() + limit;
  Timer timer(loop);
  const std::function<void()> look = [&] {
    if (condition() || loop.now() >= give_up_at) {
      loop.stop();
    } else {
      timer.after(Milliseconds{2}, look);
    }
  };
  timer.after(Microseconds{0}, look);
  loop.run();
  return condition();
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "berm-network-XXXXXX").string();
    if (::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string source_file(const std::string& name) {
  const char* source = std::getenv("BERM_SOURCE");
  return (source == nullptr ? std::string(".") : std::string(source)) + "/tests/contract/network/" +
         name;
}

// Makes ca, stranger, server, elsewhere, client (.pem, .key) in the folder.
inline bool make_certificates(const TemporaryFolder& folder) {
  return Child({"/bin/sh", source_file("certificates.sh"), folder.path()}).wait() == 0;
}

}  // namespace berm::hal::contract
