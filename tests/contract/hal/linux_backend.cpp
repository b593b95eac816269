// SPDX-License-Identifier: Apache-2.0
// hal/linux put to the contract, on the machine's own clock, disk and sockets.
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "hal/base/unique_fd.hpp"
#include "hal/linux/clock.hpp"
#include "hal/linux/disk.hpp"
#include "hal/linux/executor.hpp"
#include "hal/linux/loop.hpp"
#include "hal/linux/random.hpp"
#include "hal/linux/stream_listener.hpp"
#include "hal/linux/unix_address.hpp"
#include "tests/contract/hal/backend.hpp"

namespace berm::hal::contract {

namespace {

class SocketPeer final : public StreamPeer {
 public:
  explicit SocketPeer(UniqueFd fd) : fd_(std::move(fd)) {}
  void send(std::string_view bytes) override {
    ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void set_reading(bool is_reading) override { is_reading_ = is_reading; }
  const std::string& received() override {
    while (is_reading_ && !is_closed_) {
      const ssize_t count = ::recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (count < 0 && errno == EAGAIN) break;
      if (count <= 0) is_closed_ = true;
      if (count > 0) received_.append(buffer_.data(), static_cast<std::size_t>(count));
    }
    return received_;
  }
  bool is_closed() override {
    received();
    return is_closed_;
  }

 private:
  UniqueFd fd_;
  bool is_reading_ = true;
  bool is_closed_ = false;
  std::string received_;
  std::array<char, 65536> buffer_;
};

class LinuxBackend final : public Backend {
 public:
  LinuxBackend() {
    std::string name = (std::filesystem::temp_directory_path() / "berm_contract_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  LinuxBackend(const LinuxBackend&) = delete;
  LinuxBackend& operator=(const LinuxBackend&) = delete;
  ~LinuxBackend() override { std::filesystem::remove_all(directory_); }

  Loop& loop() override { return loop_; }
  bool run_until(const std::function<bool()>& is_done, Microseconds limit) override {
    const MonoTime end = loop_.now() + limit;
    std::function<void()> look = [&] {
      if (is_done() || loop_.now() >= end) return loop_.stop();
      loop_.after(Milliseconds{1}, look);
    };
    look();
    loop_.run();
    return is_done();
  }
  std::unique_ptr<Executor> make_executor(std::size_t max_queued) override {
    return std::make_unique<ThreadExecutor>(loop_, max_queued);
  }
  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }
  Disk& disk() override { return disk_; }
  const std::string& directory() override { return directory_; }
  StreamListeners& listeners() override { return listeners_; }
  std::unique_ptr<StreamPeer> connect(const std::string& path) override {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = unix_address(path);
    if (!address || ::connect(fd.get(), address->get(), address->length) != 0) return nullptr;
    return std::make_unique<SocketPeer>(std::move(fd));
  }

 private:
  EpollLoop loop_;
  SystemClock clock_{{}};
  SystemRandom random_;
  SystemDisk disk_;
  SocketStreamListeners listeners_{loop_};
  std::string directory_;
};

}  // namespace

static std::unique_ptr<Backend> make_linux() {
  return std::make_unique<LinuxBackend>();
}

}  // namespace berm::hal::contract

BERM_HAL_CONTRACT(Linux, berm::hal::contract::make_linux);
