// SPDX-License-Identifier: Apache-2.0
// What SocketStreamListeners has beyond the contract: the socket's file.
#include "hal/linux/stream_listener.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "hal/base/unique_fd.hpp"
#include "hal/linux/unix_address.hpp"
#include "tests/support/emulator.hpp"
#include "tests/unit/hal/linux/scratch_directory.hpp"

namespace berm::hal {
namespace {

class SocketStreamListenersTest : public testing::Test {
 protected:
  Result<std::unique_ptr<StreamListener>> listen(const StreamListenerOptions& options) {
    return listeners_.listen(options, [](StreamConnection&) {});
  }
  mode_t mode(const std::string& path) {
    struct stat found{};
    EXPECT_EQ(::stat(path.c_str(), &found), 0);
    return found.st_mode & 0777;
  }
  // What a killed process leaves: a bound socket's file that nobody serves.
  void leave_socket(const std::string& path) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    const auto address = unix_address(path);
    ASSERT_EQ(::bind(fd.get(), address->get(), address->length), 0);
  }
  UniqueFd connect(const std::string& path) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    const auto address = unix_address(path);
    EXPECT_EQ(::connect(fd.get(), address->get(), address->length), 0);
    return fd;
  }

  ScratchDirectory scratch_;
  EpollLoop loop_;
  SocketStreamListeners listeners_{loop_};
  const std::string path_ = scratch_ / "shell.sock";
};

TEST_F(SocketStreamListenersTest, ASocketLeftBehindIsReplaced) {
  leave_socket(path_);
  ASSERT_TRUE(std::filesystem::is_socket(path_));
  const auto listener = listen({.path = path_});
  ASSERT_TRUE(listener) << listener.error().text;
  EXPECT_TRUE(connect(path_).is_open());
}

TEST_F(SocketStreamListenersTest, WhatIsNotASocketIsLeftAlone) {
  std::ofstream(path_) << "precious";
  const auto listener = listen({.path = path_});
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, ErrorCode::exists);
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(SocketStreamListenersTest, ASymbolicLinkIsLeftAloneToo) {
  std::ofstream(scratch_ / "target") << "precious";
  std::filesystem::create_symlink(scratch_ / "target", path_);
  EXPECT_FALSE(listen({.path = path_}));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
}

TEST_F(SocketStreamListenersTest, ASocketOnWhichSomebodyAnswersIsLeftAlone) {
  const auto first = listen({.path = path_});
  ASSERT_TRUE(first);
  const auto second = listen({.path = path_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::exists);
  EXPECT_TRUE(connect(path_).is_open());
}

TEST_F(SocketStreamListenersTest, TheFileGoesWithTheListener) {
  {
    const auto listener = listen({.path = path_});
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SocketStreamListenersTest, AFileThatAnotherHasPutThereStays) {
  auto listener = listen({.path = path_});
  ASSERT_TRUE(listener);
  std::filesystem::rename(path_, scratch_ / "moved");
  leave_socket(path_);
  listener->reset();
  EXPECT_TRUE(std::filesystem::is_socket(path_));
}

TEST_F(SocketStreamListenersTest, APathOf107BytesIsTakenAndOneOf108Refused) {
  const std::string longest = scratch_ / std::string(107 - scratch_.path().size() - 1, 'p');
  ASSERT_EQ(longest.size(), 107u);
  EXPECT_TRUE(listen({.path = longest}));
  const auto refused = listen({.path = longest + "p"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
}

TEST_F(SocketStreamListenersTest, ADirectoryThatIsNotThereIsNotFound) {
  const auto refused = listen({.path = scratch_ / "no/shell.sock"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
}

TEST_F(SocketStreamListenersTest, WithoutTheGroupTheSocketIsOursAlone) {
  const auto listener = listen({.path = path_, .group = "no-such-group-berm"});
  ASSERT_TRUE(listener);
  EXPECT_EQ(mode(path_), 0600u);
}

TEST_F(SocketStreamListenersTest, TheGroupMayConnectWhereItExists) {
  const group* own = ::getgrgid(::getegid());
  if (own == nullptr) GTEST_SKIP() << "our own group has no name on this machine";
  const auto listener = listen({.path = path_, .group = own->gr_name});
  ASSERT_TRUE(listener);
  EXPECT_EQ(mode(path_), 0660u);
}

TEST_F(SocketStreamListenersTest, APeerThatEndsItsSendingStillGetsItsAnswer) {
  bool is_closed = false;
  auto listener = listeners_.listen({.path = path_}, [&](StreamConnection& connection) {
    connection.on_bytes = [&connection](std::string_view bytes) {
      connection.send("answer to " + std::string(bytes));
    };
    connection.on_closed = [&] {
      is_closed = true;
      loop_.stop();
    };
  });
  ASSERT_TRUE(listener);
  const UniqueFd peer = connect(path_);
  ASSERT_EQ(::send(peer.get(), "it", 2, 0), 2);
  ASSERT_EQ(::shutdown(peer.get(), SHUT_WR), 0);
  loop_.run();
  EXPECT_TRUE(is_closed);
  std::string got(100, '\0');
  got.resize(static_cast<std::size_t>(::recv(peer.get(), got.data(), got.size(), 0)));
  EXPECT_EQ(got, "answer to it");
  EXPECT_EQ(::recv(peer.get(), got.data(), 1, 0), 0);
}

TEST_F(SocketStreamListenersTest, AHandlerMayBeReplacedInItself) {
  std::string seen;
  auto listener = listeners_.listen({.path = path_}, [&](StreamConnection& connection) {
    connection.on_bytes = [this, &connection, &seen, kept = std::string(100, 'k')](auto bytes) {
      connection.on_bytes = [this, &seen](std::string_view more) {
        seen += more;
        loop_.stop();
      };
      seen += std::string(bytes) + kept.substr(0, 1);
      connection.send(".");
    };
  });
  ASSERT_TRUE(listener);
  const UniqueFd peer = connect(path_);
  ASSERT_EQ(::send(peer.get(), "a", 1, 0), 1);
  loop_.after(Milliseconds{5}, [&] { ASSERT_EQ(::send(peer.get(), "b", 1, 0), 1); });
  loop_.run();
  EXPECT_EQ(seen, "akb");
}

TEST_F(SocketStreamListenersTest, ThePeerIsWhoConnected) {
  Peer peer;
  auto listener = listeners_.listen({.path = path_}, [&](StreamConnection& connection) {
    peer = connection.peer();
    loop_.stop();
  });
  ASSERT_TRUE(listener);
  const UniqueFd fd = connect(path_);
  loop_.run();
  EXPECT_EQ(peer.uid, ::geteuid());
  EXPECT_EQ(peer.gid, ::getegid());
  EXPECT_EQ(peer.pid, ::getpid());
  EXPECT_TRUE(peer.is_admin);
}

TEST_F(SocketStreamListenersTest, WithoutDescriptorsAConnectionWaitsInsteadOfWakingTheLoopForEver) {
  bool is_accepted = false;
  auto listener = listeners_.listen({.path = path_}, [&](StreamConnection&) {
    is_accepted = true;
    loop_.stop();
  });
  ASSERT_TRUE(listener);
  const UniqueFd peer = connect(path_);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{static_cast<rlim_t>(peer.get()), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  rusage begin{};
  rusage end{};
  ::getrusage(RUSAGE_THREAD, &begin);
  loop_.after(Milliseconds{50}, [&] { loop_.stop(); });
  loop_.run();
  ::getrusage(RUSAGE_THREAD, &end);
  EXPECT_FALSE(is_accepted);
  EXPECT_LE(end.ru_nvcsw - begin.ru_nvcsw, 5);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  loop_.after(Seconds{20}, [&] { loop_.stop(); });
  loop_.run();
  EXPECT_TRUE(is_accepted);
}

// Another user's process, as the kernel sees it when it connects.
class OtherUserTest : public SocketStreamListenersTest {
 protected:
  static constexpr uid_t kNobody = 65534;
  bool is_admin_with_groups(std::vector<gid_t> groups, const std::string& admin_group,
                            const std::string& group) {
    std::filesystem::permissions(scratch_.path(), std::filesystem::perms(0755));
    bool is_admin = false;
    auto listener = listeners_.listen({.path = path_, .group = group, .admin_group = admin_group},
                                      [&](StreamConnection& connection) {
                                        EXPECT_EQ(connection.peer().uid, kNobody);
                                        is_admin = connection.peer().is_admin;
                                        loop_.stop();
                                      });
    EXPECT_TRUE(listener);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto address = unix_address(path_);
      const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
      const bool is_other = ::setgroups(groups.size(), groups.data()) == 0 &&
                            ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0;
      const bool is_in = is_other && ::connect(fd, address->get(), address->length) == 0;
      ::_exit(is_in ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the other user could not connect";
    if (status == 0) loop_.run();
    return is_admin;
  }
};

TEST_F(OtherUserTest, IsAdminOnlyAsAMemberOfTheAdminGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
  if (test::is_emulated()) GTEST_SKIP() << test::kNoPeerGroups;
  const group* found = ::getgrgid(1);
  const std::string admin = found == nullptr ? "" : found->gr_name;
  found = ::getgrgid(kNobody);
  const std::string everybody = found == nullptr ? "" : found->gr_name;
  if (admin.empty() || everybody.empty()) GTEST_SKIP() << "groups 1 and 65534 have no names here";
  EXPECT_TRUE(is_admin_with_groups({1, kNobody}, admin, everybody));
  EXPECT_FALSE(is_admin_with_groups({2, kNobody}, admin, everybody));
  EXPECT_FALSE(is_admin_with_groups({1, kNobody}, "no-such-group-berm", everybody));
}

}  // namespace
}  // namespace berm::hal
