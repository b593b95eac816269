// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/stream_listener.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "hal/base/assert.hpp"
#include "hal/base/log.hpp"
#include "hal/base/unique_fd.hpp"
#include "hal/linux/unix_address.hpp"

namespace berm::hal {

namespace {

constexpr std::size_t kMaxPeerGroups = 65536;  // NGROUPS_MAX
constexpr std::size_t kMaxGroupEntry = 65536;  // bytes of one line of the group file
constexpr int kAcceptsPerTurn = 16;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// From the group file itself: the name service would ask a daemon that no configuration names.
std::optional<gid_t> group_id(const std::string& name) {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen("/etc/group", "re"));
  if (file == nullptr) return std::nullopt;
  std::vector<char> buffer(kMaxGroupEntry);
  group entry{};
  group* found = nullptr;
  while (::fgetgrent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (name == entry.gr_name) return entry.gr_gid;
  }
  return std::nullopt;
}

// The groups the peer's process had when it connected.
std::vector<gid_t> groups_of_peer(int fd) {
  std::vector<gid_t> groups(64);
  while (true) {
    auto length = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) == 0) {
      groups.resize(length / sizeof(gid_t));
      return groups;
    }
    const std::size_t needed = length / sizeof(gid_t);
    if (errno != ERANGE || needed <= groups.size() || needed > kMaxPeerGroups) return {};
    groups.resize(needed);
  }
}

Peer peer_of(int fd, std::optional<gid_t> admin_group) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return {};
  Peer peer{credentials.uid, credentials.gid, credentials.pid, false};
  peer.is_admin = credentials.uid == 0 || credentials.uid == ::geteuid();
  if (!peer.is_admin && admin_group) {
    const std::vector<gid_t> groups = groups_of_peer(fd);
    peer.is_admin = credentials.gid == *admin_group ||
                    std::find(groups.begin(), groups.end(), *admin_group) != groups.end();
  }
  return peer;
}

class SocketConnection final : public StreamConnection {
 public:
  // `on_ended` is called once, inside of any call: the listener then reaps it in a turn of its own.
  SocketConnection(EpollLoop& loop, UniqueFd fd, Peer peer, std::size_t max_unsent,
                   std::function<void()> on_ended)
      : fd_(std::move(fd)), peer_(peer), max_unsent_(max_unsent), on_ended_(std::move(on_ended)) {
    watch_ = loop.watch(fd_.get(), {.read = true}, [this](FdEvents events) { take(events); });
  }
  SocketConnection(const SocketConnection&) = delete;
  SocketConnection& operator=(const SocketConnection&) = delete;

  void send(std::string_view bytes) override {
    if (is_closing_ || has_ended_) return;
    if (unsent_.empty()) bytes.remove_prefix(write_some(bytes));
    if (has_ended_ || bytes.empty()) return;
    if (unsent_.size() + bytes.size() > max_unsent_) return end();
    unsent_ += bytes;
    update_interest();
  }

  void close_after_sending() override {
    if (has_ended_) return;
    is_closing_ = true;
    if (unsent_.empty()) return end();
    update_interest();
  }

  const Peer& peer() const override { return peer_; }
  std::size_t unsent_bytes() const override { return unsent_.size(); }
  bool has_ended() const { return has_ended_; }

 private:
  void take(FdEvents events) {
    if (events.writable) flush();
    if (events.readable && !has_ended_ && !is_closing_) receive();
  }

  void receive() {
    std::array<char, kStreamReadBytes> buffer;
    const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) {
      const auto handler = on_bytes;  // it may put another one in its place
      if (handler) handler({buffer.data(), static_cast<std::size_t>(count)});
    } else if (count == 0) {
      close_after_sending();
    } else if (errno != EAGAIN && errno != EINTR) {
      end();
    }
  }

  void flush() {
    unsent_.erase(0, write_some(unsent_));
    if (has_ended_ || !unsent_.empty()) return;
    unsent_.shrink_to_fit();
    if (is_closing_) return end();
    update_interest();
    const auto handler = on_drained;
    if (handler) handler();
  }

  std::size_t write_some(std::string_view bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count =
          ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count >= 0) {
        sent += static_cast<std::size_t>(count);
      } else if (errno != EINTR) {
        if (errno != EAGAIN) end();
        break;
      }
    }
    return sent;
  }

  void update_interest() { watch_.change({.read = !is_closing_, .write = !unsent_.empty()}); }

  void end() {
    if (std::exchange(has_ended_, true)) return;
    watch_.reset();
    fd_.reset();
    unsent_ = {};
    on_ended_();
  }

  UniqueFd fd_;
  const Peer peer_;
  const std::size_t max_unsent_;
  const std::function<void()> on_ended_;
  std::string unsent_;
  bool is_closing_ = false;
  bool has_ended_ = false;
  FdWatch watch_;
};

// The socket file, removed at the end if it is still the one we made.
class SocketFile {
 public:
  explicit SocketFile(std::string path) : path_(std::move(path)) {
    struct stat found{};
    if (::lstat(path_.c_str(), &found) == 0) ours_ = {found.st_dev, found.st_ino};
  }
  SocketFile(SocketFile&& other) noexcept
      : path_(std::exchange(other.path_, {})), ours_(std::exchange(other.ours_, {})) {}
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile() {
    struct stat found{};
    if (path_.empty() || ::lstat(path_.c_str(), &found) != 0) return;
    if (ours_ == std::pair{found.st_dev, found.st_ino}) ::unlink(path_.c_str());
  }

 private:
  std::string path_;
  std::pair<dev_t, ino_t> ours_{};
};

class SocketListener final : public StreamListener {
 public:
  SocketListener(EpollLoop& loop, const StreamListenerOptions& options, UniqueFd fd,
                 SocketFile file, OnConnection on_connection)
      : loop_(loop),
        options_(options),
        admin_group_(group_id(options.admin_group)),
        on_connection_(std::move(on_connection)),
        file_(std::move(file)),
        fd_(std::move(fd)),
        reap_(loop) {
    watch_ = loop_.watch(fd_.get(), {.read = true}, [this](FdEvents) { accept_waiting(); });
  }

 private:
  void accept_waiting() {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      UniqueFd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!fd.is_open()) return on_accept_failed(errno);
      if (live_count() >= options_.max_connections) continue;  // closed at once
      add(std::move(fd));
    }
  }

  void on_accept_failed(int number) {
    if (number != EMFILE && number != ENFILE && number != ENOBUFS && number != ENOMEM) return;
    // The connection stays in the backlog and would wake us for ever: look again in a second.
    log_.warning(system_error("accepting a connection", number).text);
    watch_.change({});
    retry_.after(Seconds{1}, [this] { watch_.change({.read = true}); });
  }

  void add(UniqueFd fd) {
    const Peer peer = peer_of(fd.get(), admin_group_);
    connections_.push_back(std::make_unique<SocketConnection>(
        loop_, std::move(fd), peer, options_.max_unsent_bytes, [this] {
          if (!reap_.is_set()) reap_.after(Microseconds{0}, [this] { reap(); });
        }));
    on_connection_(*connections_.back());
  }

  void reap() {
    for (auto next = connections_.begin(); next != connections_.end();) {
      const auto current = next++;
      if (!(*current)->has_ended()) continue;
      const std::unique_ptr<SocketConnection> connection = std::move(*current);
      connections_.erase(current);
      if (connection->on_closed) connection->on_closed();
    }
  }

  std::size_t live_count() const {
    return static_cast<std::size_t>(
        std::count_if(connections_.begin(), connections_.end(),
                      [](const auto& connection) { return !connection->has_ended(); }));
  }

  const Log log_{"stream"};
  EpollLoop& loop_;
  const StreamListenerOptions options_;
  const std::optional<gid_t> admin_group_;
  const OnConnection on_connection_;
  SocketFile file_;
  UniqueFd fd_;
  FdWatch watch_;
  Timer reap_;
  Timer retry_{loop_};
  std::list<std::unique_ptr<SocketConnection>> connections_;
};

Result<UniqueFd> new_socket() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) return fail(system_error("making a Unix socket", errno));
  return fd;
}

// Makes room for a new socket at `path`: only what a dead process left behind goes.
Result<void> remove_stale(const std::string& path, const UnixAddress& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return fail(system_error(path, errno));
  }
  if (!S_ISSOCK(found.st_mode)) {
    return fail(ErrorCode::exists, path + " exists and is not a socket; it is left alone");
  }
  BERM_TRY(const UniqueFd probe, new_socket());
  const int connected = ::connect(probe.get(), address.get(), address.length);
  if (connected == 0 || errno == EAGAIN) {
    return fail(ErrorCode::exists, "another process listens on " + path);
  }
  if (errno != ECONNREFUSED) return fail(system_error(path, errno));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail(system_error("removing the stale socket " + path, errno));
  }
  return {};
}

void open_to_group(const StreamListenerOptions& options) {
  const std::optional<gid_t> group = group_id(options.group);
  if (!group) return;
  if (::chown(options.path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    Log("stream").notice(options.path + " stays ours alone: " +
                         system_error("giving it to group " + options.group, errno).text);
    return;
  }
  if (::chmod(options.path.c_str(), 0660) != 0) {
    Log("stream").warning(system_error("opening " + options.path + " to its group", errno).text);
  }
}

}  // namespace

Result<std::unique_ptr<StreamListener>> SocketStreamListeners::listen(
    const StreamListenerOptions& options, StreamListener::OnConnection on_connection) {
  BERM_ASSERT(on_connection && options.max_connections > 0);
  BERM_TRY(const UnixAddress address, unix_address(options.path));
  BERM_CHECK(remove_stale(options.path, address));
  BERM_TRY(UniqueFd fd, new_socket());
  // On Linux the file takes the socket's mode: there is no moment in which others may connect.
  if (::fchmod(fd.get(), 0600) != 0) return fail(system_error("protecting a socket", errno));
  if (::bind(fd.get(), address.get(), address.length) != 0) {
    return fail(system_error("listening on " + options.path, errno));
  }
  SocketFile file(options.path);
  if (::listen(fd.get(), kStreamBacklog) != 0) {
    return fail(system_error("listening on " + options.path, errno));
  }
  open_to_group(options);
  return std::make_unique<SocketListener>(loop_, options, std::move(fd), std::move(file),
                                          std::move(on_connection));
}

}  // namespace berm::hal
