// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/service_notify.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hal/base/text.hpp"
#include "hal/linux/unix_address.hpp"
#include "tests/unit/hal/linux/scratch_directory.hpp"

namespace berm::hal {
namespace {

// The supervisor's end.
class Supervisor {
 public:
  explicit Supervisor(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    const auto address = unix_address(path);
    EXPECT_EQ(::bind(fd_.get(), address->get(), address->length), 0);
  }
  std::string next() {
    std::string message(4096, '\0');
    const ssize_t count = ::recv(fd_.get(), message.data(), message.size(), MSG_DONTWAIT);
    message.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return message;
  }

 private:
  UniqueFd fd_;
};

TEST(SystemdNotify, SaysWhatTheProtocolSays) {
  const ScratchDirectory scratch;
  Supervisor supervisor(scratch / "notify");
  SystemdNotify notify({.socket = scratch / "notify"});
  notify.ready();
  EXPECT_EQ(supervisor.next(), "READY=1");
  notify.status("4 lanes");
  EXPECT_EQ(supervisor.next(), "STATUS=4 lanes");
  notify.watchdog();
  EXPECT_EQ(supervisor.next(), "WATCHDOG=1");
  notify.stopping();
  EXPECT_EQ(supervisor.next(), "STOPPING=1");
}

TEST(SystemdNotify, AnAbstractSocketBeginsWithAnAt) {
  const std::string name = "@berm-notify-test-" + std::to_string(::getpid());
  Supervisor supervisor(name);
  SystemdNotify notify({.socket = name});
  notify.ready();
  EXPECT_EQ(supervisor.next(), "READY=1");
}

TEST(SystemdNotify, AStatusIsOneLineOfBoundedWholeCharacters) {
  const ScratchDirectory scratch;
  Supervisor supervisor(scratch / "notify");
  SystemdNotify notify({.socket = scratch / "notify"});
  notify.status("one\nREADY=1");
  EXPECT_EQ(supervisor.next(), "STATUS=one READY=1");
  notify.status(std::string(kMaxNotifyStatus - 1, 'a') + "é");
  EXPECT_EQ(supervisor.next(), "STATUS=" + std::string(kMaxNotifyStatus - 1, 'a'));
  notify.status(std::string(kMaxNotifyStatus - 2, 'a') + "é");
  EXPECT_EQ(supervisor.next(), "STATUS=" + std::string(kMaxNotifyStatus - 2, 'a') + "é");
}

TEST(SystemdNotify, WithoutASupervisorNothingHappens) {
  SystemdNotify notify({});
  notify.ready();
  notify.status("x");
  notify.watchdog();
  notify.stopping();
  EXPECT_EQ(notify.watchdog_interval(), Microseconds{0});
}

TEST(SystemdNotify, AFullQueueDoesNotHoldTheLoop) {
  const ScratchDirectory scratch;
  Supervisor supervisor(scratch / "notify");
  SystemdNotify notify({.socket = scratch / "notify"});
  for (int i = 0; i < 5000; ++i) notify.watchdog();
  EXPECT_EQ(supervisor.next(), "WATCHDOG=1");
}

class SystemdNotifyEnvironment : public testing::Test {
 protected:
  ~SystemdNotifyEnvironment() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
};

TEST_F(SystemdNotifyEnvironment, TheWatchdogIsForTheProcessThatItNames) {
  ::setenv("NOTIFY_SOCKET", "/run/x", 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(SystemdNotifyOptions::from_environment().socket, "/run/x");
  EXPECT_EQ(SystemdNotifyOptions::from_environment().watchdog, Seconds{30});
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(SystemdNotifyOptions::from_environment().watchdog, Seconds{30});
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(SystemdNotifyOptions::from_environment().watchdog, Seconds{0});
}

TEST_F(SystemdNotifyEnvironment, NonsenseMeansNoWatchdog) {
  for (const char* value : {"", "0", "-5", "soon"}) {
    ::setenv("WATCHDOG_USEC", value, 1);
    EXPECT_EQ(SystemdNotifyOptions::from_environment().watchdog, Seconds{0}) << value;
  }
}

}  // namespace
}  // namespace berm::hal
