// SPDX-License-Identifier: Apache-2.0
// GPIO chips of which a test writes every event by hand. Any thread.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "hal/base/time.hpp"
#include "hal/base/unique_fd.hpp"
#include "hal/linux/gpio_chip.hpp"

namespace berm::hal {

class FakeGpioChip {
 public:
  // `missed`: so many events of this line the kernel has dropped before this one.
  void add(std::uint32_t offset, bool on, MonoTime time, std::uint32_t missed = 0) {
    const std::lock_guard lock(mutex_);
    gpio_v2_line_event event{};
    event.timestamp_ns = static_cast<std::uint64_t>(us_of(time)) * 1000;
    event.id = on ? GPIO_V2_LINE_EVENT_RISING_EDGE : GPIO_V2_LINE_EVENT_FALLING_EDGE;
    event.offset = offset;
    event.line_seqno = line_seqno_[offset] += missed + 1;
    event.seqno = seqno_ += missed + 1;
    events_.push_back(event);
  }
  // What was added becomes readable at once.
  void wake() const {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(fd_.get(), &one, sizeof one), 8);
  }
  // Bit i: the i-th line that was asked for.
  void set_levels(std::uint64_t levels) {
    const std::lock_guard lock(mutex_);
    levels_ = levels;
  }
  void unplug() {
    {
      const std::lock_guard lock(mutex_);
      is_gone_ = true;
    }
    wake();
  }
  void plug_in() {
    const std::lock_guard lock(mutex_);
    is_gone_ = false;
    events_.clear();
    line_seqno_.clear();
  }
  void set_line_seqno(std::uint32_t offset, std::uint32_t seqno) {
    const std::lock_guard lock(mutex_);
    line_seqno_[offset] = seqno;
  }
  // Until the levels were read so often.
  void wait_until_levels_read(int times) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        read_.wait_for(lock, std::chrono::seconds(20), [&] { return levels_read_ >= times; }));
  }

 private:
  friend class FakeGpioLines;
  friend class FakeGpioChips;
  std::mutex mutex_;
  std::condition_variable read_;
  const UniqueFd fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::deque<gpio_v2_line_event> events_;
  std::map<std::uint32_t, std::uint32_t> line_seqno_;
  std::uint32_t seqno_ = 0;
  std::uint64_t levels_ = 0;
  int levels_read_ = 0;
  bool is_gone_ = false;
};

class FakeGpioLines final : public GpioLines {
 public:
  explicit FakeGpioLines(FakeGpioChip& chip) : chip_(chip) {}
  int fd() const override { return chip_.fd_.get(); }
  Result<std::size_t> read(std::span<gpio_v2_line_event> into) override {
    const std::lock_guard lock(chip_.mutex_);
    if (chip_.is_gone_) return fail(ErrorCode::unavailable, "the chip is gone");
    std::size_t count = 0;
    for (; count < into.size() && !chip_.events_.empty(); ++count) {
      into[count] = chip_.events_.front();
      chip_.events_.pop_front();
    }
    std::uint64_t wakes = 0;
    if (chip_.events_.empty()) {
      [[maybe_unused]] const auto got = ::read(chip_.fd_.get(), &wakes, sizeof wakes);
    }
    return count;
  }
  Result<std::uint64_t> levels() override {
    const std::lock_guard lock(chip_.mutex_);
    if (chip_.is_gone_) return fail(ErrorCode::unavailable, "the chip is gone");
    ++chip_.levels_read_;
    chip_.read_.notify_all();
    return chip_.levels_;
  }

 private:
  FakeGpioChip& chip_;
};

class FakeGpioChips final : public GpioChips {
 public:
  FakeGpioChip& chip(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return chips_[name];
  }
  Result<std::unique_ptr<GpioLines>> request(const std::string& name,
                                             std::span<const GpioLineConfig> lines) override {
    FakeGpioChip& wanted = chip(name);
    const std::lock_guard lock(mutex_);
    requests_.push_back({name, {lines.begin(), lines.end()}});
    const std::lock_guard chip_lock(wanted.mutex_);
    if (wanted.is_gone_) return fail(ErrorCode::not_found, "no chip " + name);
    return std::make_unique<FakeGpioLines>(wanted);
  }
  std::vector<std::pair<std::string, std::vector<GpioLineConfig>>> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, FakeGpioChip> chips_;
  std::vector<std::pair<std::string, std::vector<GpioLineConfig>>> requests_;
};

}  // namespace berm::hal
