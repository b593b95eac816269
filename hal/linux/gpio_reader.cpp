// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/gpio_reader.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "hal/base/assert.hpp"
#include "hal/linux/clock.hpp"

namespace berm::hal {

namespace {

void signal_eventfd(int fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(fd, &one, sizeof one);
}

MonoTime time_of(const gpio_v2_line_event& event) {
  return mono_us(static_cast<std::int64_t>(event.timestamp_ns / 1000));
}

}  // namespace

GpioReader::GpioReader(GpioChips& chips, std::vector<GpioSource> sources,
                       const GpioReaderOptions& options)
    : chips_(chips),
      sources_(std::move(sources)),
      options_(options),
      queue_(options.max_queued),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  BERM_ASSERT(wake_.is_open() && end_.is_open());
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    const GpioSource& source = sources_[s];
    BERM_ASSERT(source.open && source.lines.size() == source.configs.size());
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      if (lines_.size() <= source.lines[i]) lines_.resize(source.lines[i] + std::size_t{1});
      Line& line = lines_[source.lines[i]];
      line.source = s;
      line.place = i;
      line.resolution_us = 1 + source.configs[i].debounce_us;
    }
  }
  thread_ = std::thread([this] { work(); });
  ::pthread_setname_np(thread_.native_handle(), "berm-gpio");
}

GpioReader::~GpioReader() {
  signal_eventfd(end_.get());
  thread_.join();
}

std::size_t GpioReader::drain(std::vector<GpioItem>& into) {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
  return queue_.drain(into);
}

void GpioReader::work() {
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    read_events(s, true);
    settle(s, Announce::lines_on);
  }
  deliver();
  while (wait()) {
    look();
    recheck();
    reopen();
    deliver();
  }
}

bool GpioReader::wait() {
  std::vector<pollfd> waited{{end_.get(), POLLIN, 0}};
  for (const GpioSource& source : sources_) {
    waited.push_back({source.open ? source.open->fd() : -1, POLLIN, 0});  // poll passes over -1
  }
  ::poll(waited.data(), waited.size(), wait_ms());
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    sources_[s].is_hung = (waited[s + 1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
  }
  return (waited[0].revents & POLLIN) == 0;
}

int GpioReader::wait_ms() const {
  const bool is_owing = !states_.empty() || is_any_loss_untold();
  if (is_owing) return static_cast<int>(options_.recheck.count());
  return is_any_gone() ? static_cast<int>(options_.reopen.count()) : -1;
}

void GpioReader::look() {
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    if (!sources_[s].open) continue;
    const std::size_t count = read_events(s, false);
    // A chip that hangs up without an error to read would wake us for ever.
    if (count == 0 && sources_[s].open && sources_[s].is_hung) on_gone(s);
  }
}

// Lines of which an edge found the queue full: once there is room their level is told anew.
void GpioReader::recheck() {
  if (!is_any_loss_untold() || queue_.size() > options_.max_queued / 2) return;
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    if (sources_[s].open) settle(s, Announce::lines_with_loss);
  }
}

void GpioReader::reopen() {
  if (!is_any_gone() || read_mono_clock() < next_reopen_) return;
  next_reopen_ = read_mono_clock() + options_.reopen;
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    GpioSource& source = sources_[s];
    if (source.open) continue;
    auto opened = chips_.request(source.chip, source.configs);
    if (!opened) continue;
    source.open = std::move(*opened);
    for (const std::uint16_t index : source.lines) lines_[index].last_seqno = 0;
    read_events(s, true);
    if (!source.open) continue;
    if (!is_any_gone()) say(GpioItem::Kind::up, read_mono_clock());
    settle(s, Announce::all_lines);
  }
}

std::size_t GpioReader::read_events(std::size_t source, bool is_discarding) {
  std::array<gpio_v2_line_event, kGpioEventsPerRead> events;
  std::size_t total = 0;
  for (int i = 0; i < kMaxGpioReadsPerLook; ++i) {
    const auto count = sources_[source].open->read(events);
    if (!count) {
      on_gone(source);
      break;
    }
    for (std::size_t e = 0; e < *count; ++e) take_event(source, events[e], is_discarding);
    total += *count;
    if (*count < events.size()) break;
  }
  return total;
}

void GpioReader::take_event(std::size_t source, const gpio_v2_line_event& event,
                            bool is_discarding) {
  const auto& configs = sources_[source].configs;
  const auto found = std::find_if(configs.begin(), configs.end(), [&](const GpioLineConfig& c) {
    return c.offset == event.offset;
  });
  if (found == configs.end()) return;
  const auto place = static_cast<std::size_t>(found - configs.begin());
  const std::uint16_t index = sources_[source].lines[place];
  Line& line = lines_[index];
  // The difference wraps as the kernel's counter does.
  const std::uint32_t missed = event.line_seqno - line.last_seqno - 1;
  line.last_seqno = event.line_seqno;
  if (is_discarding) return;
  line.lost += missed;
  Edge edge{time_of(event), line.resolution_us, 0, index,
            event.id == GPIO_V2_LINE_EVENT_RISING_EDGE};
  if (says_nothing_new(line, edge)) return;
  edge.lost_before = std::exchange(line.lost, 0);
  batch_.push_back(edge);
}

// An event that stood in the level when that was read: older than the reading, or made while it was
// read and of the same level.
bool GpioReader::says_nothing_new(Line& line, const Edge& edge) {
  if (!line.is_settling) return false;
  if (edge.time < line.settled_from) return true;
  line.is_settling = false;
  return edge.time <= line.settled_to && edge.on == line.level;
}

void GpioReader::settle(std::size_t source, Announce announce) {
  if (!sources_[source].open) return;
  const MonoTime from = read_mono_clock();
  const auto levels = sources_[source].open->levels();
  if (!levels) return on_gone(source);
  const MonoTime to = read_mono_clock();
  for (std::size_t i = 0; i < sources_[source].lines.size(); ++i) {
    const std::uint16_t index = sources_[source].lines[i];
    Line& line = lines_[index];
    const bool level = ((*levels >> i) & 1u) != 0;
    if (announce == Announce::lines_with_loss && line.lost == 0) continue;
    if (announce == Announce::all_lines) ++line.lost;  // nobody knows how many
    line.is_settling = true;
    line.level = level;
    line.settled_from = from;
    line.settled_to = to;
    if (announce == Announce::lines_on && !level) continue;
    batch_.push_back({.time = from,
                      .resolution_us = line.resolution_us,
                      .lost_before = std::exchange(line.lost, 0),
                      .line = index,
                      .on = level,
                      .tells_state = true});
  }
}

void GpioReader::on_gone(std::size_t source) {
  sources_[source].open.reset();
  next_reopen_ = read_mono_clock() + options_.reopen;
  if (!std::exchange(is_down_said_, true)) say(GpioItem::Kind::down, read_mono_clock());
}

void GpioReader::say(GpioItem::Kind kind, MonoTime since) {
  deliver();  // what came before stands before
  is_down_said_ = kind == GpioItem::Kind::down;
  GpioItem item;
  item.kind = kind;
  item.edge.time = since;
  if (states_.size() == 2) {
    states_.pop_back();  // down, up, down is down since the first
  } else {
    states_.push_back(item);
  }
}

void GpioReader::deliver() {
  // Each chip's edges are in order already, so that little is moved; equal ones keep their order.
  const auto by_time = [](const Edge& a, const Edge& b) { return a.time < b.time; };
  for (auto next = batch_.begin(); next != batch_.end(); ++next) {
    std::rotate(std::upper_bound(batch_.begin(), next, *next, by_time), next, next + 1);
  }
  bool is_any_pushed = false;
  while (!states_.empty() && queue_.push(states_.front())) {
    states_.erase(states_.begin());
    is_any_pushed = true;
  }
  for (Edge& edge : batch_) {
    Line& line = lines_[edge.line];
    edge.lost_before += std::exchange(line.lost, 0);
    if (states_.empty() && queue_.push({GpioItem::Kind::edge, edge})) {
      is_any_pushed = true;
    } else {
      line.lost = edge.lost_before + 1;
    }
  }
  batch_.clear();
  if (is_any_pushed) signal_eventfd(wake_.get());
}

bool GpioReader::is_any_gone() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const GpioSource& source) { return !source.open; });
}

bool GpioReader::is_any_loss_untold() const {
  return std::any_of(lines_.begin(), lines_.end(), [](const Line& line) { return line.lost > 0; });
}

}  // namespace berm::hal
