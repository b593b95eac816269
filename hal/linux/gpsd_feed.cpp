// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/gpsd_feed.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "hal/base/text.hpp"
#include "hal/linux/clock.hpp"

namespace berm::hal {
namespace {

constexpr std::size_t kPieceBytes = 4096;
constexpr std::string_view kWatch = "?WATCH={\"enable\":true,\"json\":true};\n";
constexpr std::string_view kQuestion = "?VERSION;\n";

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

bool is_again(int number) {
  return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

}  // namespace

Result<GpsdAddress> parse_gpsd_address(const std::string& text) {
  const auto colon = text.rfind(':');
  const auto wrong = [&] { return fail(ErrorCode::invalid, "\"" + text + "\" is not host:port"); };
  if (colon == std::string::npos) return wrong();
  GpsdAddress address{text.substr(0, colon)};
  std::string& host = address.host;
  if (host.starts_with('[')) {
    if (host.size() < 3 || host.back() != ']') return wrong();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return wrong();
  }
  const auto port = parse_integer(std::string_view(text).substr(colon + 1));
  if (host.empty() || !port || *port < 1 || *port > 65535) return wrong();
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

GpsdFeed::GpsdFeed(EpollLoop& loop, NameLookups& lookups, GpsdAddress address)
    : loop_(loop), lookups_(lookups), address_(std::move(address)), timer_(loop) {}

void GpsdFeed::start(OnFix on_fix, OnState on_state) {
  on_fix_ = std::move(on_fix);
  on_state_ = std::move(on_state);
  timer_.after(Microseconds{0}, [this] { look_up(); });
}

void GpsdFeed::look_up() {
  timer_.after(kGpsdAnswerLimit, [this] { go_down("no answer from " + address_.host); });
  lookup_ = lookups_.start(address_.host, [this](Result<NameLookup::Addresses> found) {
    if (!found) return go_down(found.error().text);
    addresses_.assign(found->begin(), found->end());
    last_error_ = "no address";
    connect_next();
  });
}

void GpsdFeed::connect_next() {
  while (!addresses_.empty()) {
    const std::string host = addresses_.front();
    addresses_.pop_front();
    const auto begun = connect_to(host);
    if (begun) return;
    last_error_ = begun.error().text;
  }
  go_down(last_error_);
}

Result<void> GpsdFeed::connect_to(const std::string& numeric_host) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address_.port);
  if (::getaddrinfo(numeric_host.c_str(), port.c_str(), &hints, &found) != 0) {
    return fail(ErrorCode::invalid, numeric_host + " is no address");
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  fd_.reset(::socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const std::string where = "gpsd on " + numeric_host + " port " + port;
  if (!fd_.is_open()) return fail(system_error(where, errno));
  if (::connect(fd_.get(), list->ai_addr, list->ai_addrlen) != 0 && errno != EINPROGRESS) {
    const int number = errno;
    fd_.reset();
    return fail(system_error(where, number));
  }
  last_error_ = where;
  watch_ = loop_.watch(fd_.get(), {.read = false, .write = true},
                       [this](FdEvents events) { on_events(events); });
  return {};
}

void GpsdFeed::on_events(FdEvents) {
  if (is_connected_) return read();
  finish_connecting();
}

void GpsdFeed::finish_connecting() {
  int number = 0;
  socklen_t length = sizeof number;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &number, &length);
  if (number != 0) {
    last_error_ = system_error(last_error_, number).text;
    watch_.reset();
    fd_.reset();
    return connect_next();
  }
  is_connected_ = true;
  ++connects_;
  addresses_.clear();
  watch_.change({.read = true, .write = false});
  if (!send(kWatch)) return;
  timer_.after(kGpsdAnswerLimit, [this] { go_down(last_error_ + ": no greeting"); });
}

bool GpsdFeed::send(std::string_view text) {
  const ssize_t count = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  if (count == static_cast<ssize_t>(text.size())) return true;
  go_down(last_error_ + ": the connection takes nothing");
  return false;
}

void GpsdFeed::read() {
  for (int reads = 0; reads < kMaxGpsdReadsPerTurn; ++reads) {
    std::array<char, kPieceBytes> piece;
    const ssize_t count = ::recv(fd_.get(), piece.data(), piece.size(), 0);
    if (count < 0 && is_again(errno)) return;
    if (count < 0) return go_down(system_error(last_error_, errno).text);
    if (count == 0) return go_down(last_error_ + ": the connection was closed");
    if (!take_piece({piece.data(), static_cast<std::size_t>(count)})) return;
  }
}

// False: the connection is no more.
bool GpsdFeed::take_piece(std::string_view piece) {
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (line_.size() + part.size() > kMaxGpsdLine) {
      ++malformed_;
      go_down(last_error_ + ": a line without end");
      return false;
    }
    line_ += part;
    if (end == std::string_view::npos) return true;
    take_line(std::exchange(line_, {}));
    piece.remove_prefix(end + 1);
  }
  return true;
}

void GpsdFeed::take_line(const std::string& line) {
  const MonoTime now = read_mono_clock();
  const GpsdReport report = reports_.take(line, now);
  if (report == GpsdReport::malformed) {
    ++malformed_;
    return;
  }
  last_line_at_ = now;
  is_asked_ = false;
  if (state_ != State::up) go_up();
  if (report != GpsdReport::fix) return;
  ++fixes_;
  on_fix_(reports_.fix());
}

void GpsdFeed::watch_over_silence() {
  const MonoTime due = last_line_at_ + (is_asked_ ? kGpsdSilence + kGpsdAnswerLimit : kGpsdSilence);
  timer_.at(due, [this] { on_silence(); });
}

// A receiver may be silent for hours; gpsd itself answers.
void GpsdFeed::on_silence() {
  const Microseconds silent_for = read_mono_clock() - last_line_at_;
  if (is_asked_ && silent_for >= kGpsdSilence + kGpsdAnswerLimit) {
    return go_down(last_error_ + ": it does not answer any more");
  }
  if (!is_asked_ && silent_for >= kGpsdSilence) {
    is_asked_ = true;
    if (!send(kQuestion)) return;
  }
  watch_over_silence();
}

void GpsdFeed::go_up() {
  state_ = State::up;
  is_told_ = true;
  reason_.clear();
  retry_ = kFirstGpsdRetry;
  watch_over_silence();
  on_state_(true, reason_);
}

void GpsdFeed::go_down(std::string reason) {
  close();
  const bool is_news = state_ == State::up || !is_told_;
  state_ = State::down;
  is_told_ = true;
  reason_ = std::move(reason);
  timer_.after(retry_, [this] { look_up(); });
  retry_ = std::min(retry_ * 2, kLastGpsdRetry);
  if (is_news) on_state_(false, reason_);
}

void GpsdFeed::close() {
  timer_.cancel();
  lookup_.reset();
  watch_.reset();
  fd_.reset();
  addresses_.clear();
  line_.clear();
  is_connected_ = false;
  is_asked_ = false;
}

Status GpsdFeed::status() const {
  Status status("gpsd");
  status.set("state", state_ == State::up ? "up" : state_ == State::down ? "down" : "connecting");
  status.set("reason", reason_).set("connects", connects_);
  status.set("reports", fixes_).set("malformed", malformed_);
  return status;
}

Result<std::unique_ptr<PositionFeed>> GpsdFeeds::open(const std::string& address) {
  BERM_TRY(GpsdAddress parsed, parse_gpsd_address(address));
  return std::unique_ptr<PositionFeed>(
      std::make_unique<GpsdFeed>(loop_, lookups_, std::move(parsed)));
}

}  // namespace berm::hal
