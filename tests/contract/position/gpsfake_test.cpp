// SPDX-License-Identifier: Apache-2.0
// A real gpsd, which gpsfake feeds with recorded and with hand-written receivers, through the feed
// and the driver's filter: nothing that is no position becomes one. Skipped where gpsd or gpsfake
// is missing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "drivers/gps_position/fix_filter.hpp"
#include "hal/linux/gpsd_feed.hpp"
#include "tests/contract/position/fake_gpsd.hpp"

extern char** environ;

namespace berm::hal::contract {
namespace {

using drivers::gps_position::FixVerdict;
using drivers::gps_position::PositionReport;

// Seconds from one sentence or packet to the next; faster, and gpsd on a busy machine loses some.
constexpr const char* kCycle = "0.05";
// gpsfake leaves gpsd running at the end of the log.
constexpr Seconds kQuiet{3};

bool is_installed(const std::string& program) {
  for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"}) {
    if (::access((folder + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string root() {
  const char* source = std::getenv("BERM_SOURCE");
  return source == nullptr ? "." : source;
}

std::string free_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), generic, length) != 0) return "";
  ::getsockname(fd.get(), generic, &length);
  return std::to_string(ntohs(address.sin_port));
}

// gpsfake and the gpsd it starts, in a process group of their own that ends with the object.
class Gpsfake {
 public:
  Gpsfake(const std::string& log, const std::string& port, const std::string& cycle_s) {
    std::array<std::string, 8> words{"gpsfake", "-1", "-q", "-c", cycle_s, "-P", port, log};
    std::array<char*, 9> arguments{};
    for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    if (::posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ) != 0)
      pid_ = -1;
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  Gpsfake(const Gpsfake&) = delete;
  Gpsfake& operator=(const Gpsfake&) = delete;
  ~Gpsfake() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
};

// What a receiver said and what became of it.
struct Heard {
  std::vector<PositionFix> fixes;
  std::vector<PositionReport> events;
  std::map<FixVerdict, int> verdicts;
  bool was_up = false;
};

class GpsfakeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_installed("gpsd")) GTEST_SKIP() << "gpsd is not installed";
    if (!is_installed("gpsfake")) GTEST_SKIP() << "gpsfake (gpsd-clients) is not installed";
  }

  // Listens until the log has been played, or `enough` reports were heard.
  Heard play(const std::string& log, std::size_t enough = 100'000) {
    Heard heard;
    EpollLoop loop;
    GpsdFeeds feeds(loop);
    drivers::gps_position::FixFilter filter{{}};
    const std::string port = free_port();
    const Gpsfake receiver(log, port, kCycle);
    auto feed = feeds.open("127.0.0.1:" + port);
    bool has_ended = false;
    Timer quiet(loop);
    (*feed)->start(
        [&](const PositionFix& fix) {
          heard.fixes.push_back(fix);
          quiet.after(kQuiet, [&] { has_ended = true; });
          const FixVerdict verdict = filter.take(fix, fix.time);
          ++heard.verdicts[verdict];
          if (verdict == FixVerdict::event) heard.events.push_back(*filter.report());
        },
        [&](bool is_up, const std::string&) {
          has_ended = heard.was_up && !is_up;
          heard.was_up = heard.was_up || is_up;
        });
    run_loop_until(loop, [&] { return has_ended || heard.fixes.size() >= enough; }, Seconds{40});
    EXPECT_TRUE(heard.was_up) << "gpsd was never there";
    return heard;
  }

  Heard play_recorded(const std::string& name, std::size_t enough = 100'000) {
    const char* given = std::getenv("BERM_DATA");
    const std::string data = given != nullptr ? given : root() + "/../shared/data";
    const std::string log = data + "/gpsd/" + name;
    if (!std::filesystem::exists(log)) return {};
    return play(log, enough);
  }
  static void expect_all_near(const Heard& heard, double lat, double lon, double metres) {
    for (const PositionReport& event : heard.events) {
      EXPECT_LT(drivers::gps_position::distance_m(event.place, {lat, lon}), metres)
          << event.place.lat << " " << event.place.lon;
    }
  }
};

TEST_F(GpsfakeTest, ADriveBecomesPositions) {
  const Heard heard = play(root() + "/tests/replay/gps/drive.nmea");
  ASSERT_GE(heard.events.size(), 10u);
  EXPECT_LE(heard.events.size(), 20u) << "20 m a step, an event every 25 m";
  const PositionReport& last = heard.events.back();
  EXPECT_GT(last.distance_m, 400.0);
  EXPECT_LT(last.distance_m, 600.0);
  EXPECT_NEAR(*last.speed_kmh, 72.0, 0.1);
  EXPECT_NEAR(*last.track_deg, 0.0, 0.1);
  EXPECT_EQ(last.alt_m, 7.0);
  EXPECT_EQ(last.satellites, 8);
  // 2030-06-01 10:00:00 UTC; gpsd loses the first sentences while it finds out what they are.
  ASSERT_TRUE(heard.fixes.back().gps_time);
  EXPECT_GT(*heard.fixes.back().gps_time, wall_s(1'906'538'400));
  EXPECT_LT(*heard.fixes.back().gps_time, wall_s(1'906'538'430));
  EXPECT_TRUE(heard.fixes.back().time_error);
}

TEST_F(GpsfakeTest, TroubleNeverBecomesAFalsePosition) {
  const Heard heard = play(root() + "/tests/replay/gps/trouble.nmea");
  ASSERT_FALSE(heard.events.empty());
  expect_all_near(heard, 51.2, 4.4, 5.0);
  EXPECT_TRUE(heard.verdicts.contains(FixVerdict::no_fix));
  EXPECT_TRUE(heard.verdicts.contains(FixVerdict::coarse));
  EXPECT_TRUE(heard.verdicts.contains(FixVerdict::no_position));
  EXPECT_TRUE(heard.verdicts.contains(FixVerdict::jump));
  EXPECT_FALSE(heard.events.front().speed_kmh) << "the receiver had not said it";
}

TEST_F(GpsfakeTest, AWalkInTheAlpsStaysThere) {
  const Heard heard = play_recorded("bu303-moving.log");
  if (!heard.was_up) GTEST_SKIP() << "no ../shared/data/gpsd/bu303-moving.log";
  ASSERT_FALSE(heard.events.empty());
  expect_all_near(heard, 46.4983, 7.5674, 100.0);
}

TEST_F(GpsfakeTest, AReceiverWithoutAFixHasNoPosition) {
  const Heard heard = play_recorded("bu303-nofix.log");
  if (!heard.was_up) GTEST_SKIP() << "no ../shared/data/gpsd/bu303-nofix.log";
  EXPECT_FALSE(heard.fixes.empty());
  EXPECT_TRUE(heard.events.empty());
}

TEST_F(GpsfakeTest, AStreamThatBeginsInTheMiddleIsRead) {
  const Heard heard = play_recorded("neo-m8n.log");
  if (!heard.was_up) GTEST_SKIP() << "no ../shared/data/gpsd/neo-m8n.log";
  ASSERT_FALSE(heard.events.empty());
  expect_all_near(heard, 44.06901, -121.31425, 50.0);
}

TEST_F(GpsfakeTest, AReceiverForTimingHasAPositionAndATime) {
  const Heard heard = play_recorded("ublox-8-time.log", 30);
  if (!heard.was_up) GTEST_SKIP() << "no ../shared/data/gpsd/ublox-8-time.log";
  ASSERT_FALSE(heard.events.empty());
  expect_all_near(heard, 45.21854, 5.80718, 50.0);
  EXPECT_EQ(heard.fixes.back().time_error, Microseconds{5000});
}

}  // namespace
}  // namespace berm::hal::contract
