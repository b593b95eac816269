// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/loop.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "hal/base/assert.hpp"
#include "hal/linux/clock.hpp"

namespace berm::hal {

namespace {

constexpr std::uint64_t kWakeId = 0;

std::uint32_t epoll_bits(FdInterest interest) {
  return (interest.read ? std::uint32_t{EPOLLIN} : 0u) |
         (interest.write ? std::uint32_t{EPOLLOUT} : 0u);
}

bool is_any(FdInterest interest) {
  return interest.read || interest.write;
}

}  // namespace

FdWatch& FdWatch::operator=(FdWatch&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}

void FdWatch::change(FdInterest interest) {
  BERM_ASSERT(loop_ != nullptr);
  loop_->change_watch(id_, interest);
}

void FdWatch::reset() {
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->end_watch(id_);
}

EpollLoop::EpollLoop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  BERM_ASSERT(epoll_.is_open() && wake_.is_open());
  control(EPOLL_CTL_ADD, kWakeId, Watched{wake_.get(), {.read = true}, nullptr});
}

EpollLoop::~EpollLoop() {
  BERM_ASSERT(!in_turn_);
  // What the callbacks own may hold timers and watches of this loop: let it go while the loop
  // stands.
  std::exchange(timers_, {}).clear();
  std::exchange(posted_, {}).clear();
  BERM_ASSERT(watches_.empty());
}

void EpollLoop::run() {
  thread_ = std::this_thread::get_id();
  while (!stopping_.exchange(false)) turn();
  thread_ = std::thread::id{};
}

void EpollLoop::stop() {
  stopping_ = true;
  wake();
}

MonoTime EpollLoop::now() const {
  return in_turn_ ? turn_began_ : read_mono_clock();
}

TimerId EpollLoop::at(MonoTime time, Callback callback) {
  BERM_ASSERT(is_on_loop_thread());
  BERM_ASSERT(callback);
  const TimerId id = ++last_timer_;
  timers_.emplace(TimerKey{time, id}, std::move(callback));
  timer_times_.emplace(id, time);
  return id;
}

void EpollLoop::cancel(TimerId id) {
  BERM_ASSERT(is_on_loop_thread());
  const auto found = timer_times_.find(id);
  if (found == timer_times_.end()) return;
  const auto timer = timers_.find(TimerKey{found->second, id});
  timer_times_.erase(found);
  if (timer == timers_.end()) return;  // only while the loop itself dies
  // Its callback may own what cancels other timers: let it go when the maps are whole again.
  const auto gone = timers_.extract(timer);
}

void EpollLoop::post(Callback callback) {
  BERM_ASSERT(callback);
  {
    const std::lock_guard lock(posted_mutex_);
    BERM_ASSERT(posted_.size() < kMaxPosted);
    posted_.push_back(std::move(callback));
    if (posted_.size() > 1) return;  // the wake-up of the first serves all
  }
  wake();
}

FdWatch EpollLoop::watch(int fd, FdInterest interest, FdCallback callback) {
  BERM_ASSERT(is_on_loop_thread());
  BERM_ASSERT(fd >= 0 && callback);
  forget_closed(fd);
  const std::uint64_t id = ++last_watch_;
  const auto [place, is_new] = watches_.emplace(id, Watched{fd, interest, std::move(callback)});
  BERM_ASSERT(is_new);
  if (is_any(interest)) control(EPOLL_CTL_ADD, id, place->second);
  return FdWatch(*this, id);
}

void EpollLoop::change_watch(std::uint64_t id, FdInterest interest) {
  BERM_ASSERT(is_on_loop_thread());
  Watched& watched = watches_.at(id);
  const bool was_in = is_any(watched.interest);
  const bool is_same =
      watched.interest.read == interest.read && watched.interest.write == interest.write;
  watched.interest = interest;
  if (is_same) return;
  // epoll reports a hang-up even to who asked for nothing, again and again: such a watch is taken
  // out.
  if (!is_any(interest)) {
    control(EPOLL_CTL_DEL, id, watched);
  } else {
    control(was_in ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, id, watched);
  }
}

void EpollLoop::end_watch(std::uint64_t id) {
  BERM_ASSERT(is_on_loop_thread());
  auto node = watches_.extract(id);
  BERM_ASSERT(!node.empty());
  if (is_any(node.mapped().interest)) control(EPOLL_CTL_DEL, id, node.mapped());
  if (in_turn_) ended_.push_back(std::move(node));
}

void EpollLoop::control(int operation, std::uint64_t id, const Watched& watched) {
  epoll_event event{};
  event.events = epoll_bits(watched.interest);
  event.data.u64 = id;
  if (::epoll_ctl(epoll_.get(), operation, watched.fd, &event) == 0) return;
  // A library may close its descriptor before it says so; with that the kernel has let go of it.
  BERM_ASSERT(operation == EPOLL_CTL_DEL && (errno == EBADF || errno == ENOENT));
}

// A new watch of `fd` shows that an older one of the same number was closed under it: that must not
// take the new one out of epoll when it ends. (Where it was not closed, adding the new one
// asserts.)
void EpollLoop::forget_closed(int fd) {
  for (auto& [id, watched] : watches_) {
    if (watched.fd == fd) watched.fd = -1;
  }
}

bool EpollLoop::is_on_loop_thread() const {
  const std::thread::id runner = thread_.load(std::memory_order_relaxed);
  return runner == std::thread::id{} || runner == std::this_thread::get_id();
}

int EpollLoop::wait_ms() const {
  if (timers_.empty()) return -1;
  const Microseconds left = timers_.begin()->first.first - read_mono_clock();
  if (left <= Microseconds{0}) return 0;
  const auto ms = std::chrono::ceil<Milliseconds>(left).count();
  return static_cast<int>(std::min<std::int64_t>(ms, std::numeric_limits<int>::max()));
}

void EpollLoop::turn() {
  std::array<epoll_event, kMaxFdEventsPerTurn> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kMaxFdEventsPerTurn, wait_ms());
  BERM_ASSERT(count >= 0 || errno == EINTR);
  turn_began_ = read_mono_clock();
  in_turn_ = true;
  fire_timers();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kWakeId) {
      run_posted();
    } else {
      dispatch(event.data.u64, event.events);
    }
  }
  while (!ended_.empty()) std::exchange(ended_, {}).clear();
  in_turn_ = false;
}

// One that a callback sets waits for the next turn, however soon it is due.
void EpollLoop::fire_timers() {
  const TimerId newest = last_timer_;
  auto next = timers_.begin();
  for (int fired = 0; fired < kMaxTimersPerTurn && next != timers_.end();) {
    if (next->first.first > turn_began_) return;
    if (next->first.second > newest) {
      ++next;
      continue;
    }
    const auto timer = timers_.extract(next);
    timer_times_.erase(timer.key().second);
    timer.mapped()();
    ++fired;
    next = timers_.begin();  // the callback may have set and cancelled others
  }
}

void EpollLoop::run_posted() {
  std::uint64_t wakes = 0;
  [[maybe_unused]] const auto got = ::read(wake_.get(), &wakes, sizeof wakes);
  std::vector<Callback> batch;
  {
    const std::lock_guard lock(posted_mutex_);
    batch.swap(posted_);
  }
  for (Callback& callback : batch) {
    callback();
    callback = nullptr;
  }
}

void EpollLoop::dispatch(std::uint64_t id, std::uint32_t events) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;  // ended by a callback of this turn
  const Watched& watched = found->second;
  FdEvents seen;
  seen.failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
  seen.readable = watched.interest.read && (seen.failed || (events & EPOLLIN) != 0);
  seen.writable = watched.interest.write && (seen.failed || (events & EPOLLOUT) != 0);
  if (seen.readable || seen.writable) watched.callback(seen);
}

void EpollLoop::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(wake_.get(), &one, sizeof one);  // full: awake anyhow
}

SignalWatch::SignalWatch(EpollLoop& loop, std::initializer_list<int> signals,
                         std::function<void(int signal)> on_signal)
    : on_signal_(std::move(on_signal)) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  BERM_ASSERT(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  BERM_ASSERT(fd_.is_open());
  watch_ = loop.watch(fd_.get(), {.read = true}, [this](FdEvents) { take(); });
}

void SignalWatch::take() {
  signalfd_siginfo taken{};
  while (::read(fd_.get(), &taken, sizeof taken) == static_cast<ssize_t>(sizeof taken)) {
    on_signal_(static_cast<int>(taken.ssi_signo));
  }
}

}  // namespace berm::hal
