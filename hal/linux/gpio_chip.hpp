// SPDX-License-Identifier: Apache-2.0
// GpioChips: the seam between the edge reader and the kernel's GPIO character device (uAPI v2).
// Behind it stands KernelGpioChips, or in the unit tests a chip of which every event is written by
// hand.
//
// KernelGpioChips asks for both edges, stamped with CLOCK_MONOTONIC in the interrupt, and for the
// largest event buffer there is (kGpioEventBuffer; the default is 16 per line). When that overflows
// the kernel drops the oldest events, and line_seqno of the next one shows how many. `on` and `off`
// are logical: active_low has been applied. With a debounce period the kernel stamps an edge when
// the period is over. A chip is named by its device ("/dev/gpiochip0"), its name ("gpiochip0") or
// its label; a label that two chips share is Error invalid.
//
// Thread: any; one call at a time per GpioLines. Never blocks but for opening the device.
// Fails: not_found (chip), exists or unavailable (a line is in use: EBUSY), invalid (too many lines
// or kinds of settings), unavailable (`read`, `levels`: the chip is gone). Source: linux/gpio.h,
// kernel documentation userspace-api/gpio/chardev.
#pragma once

#include <linux/gpio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "hal/base/result.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxGpioLines = GPIO_V2_LINES_MAX;             // of one request
inline constexpr std::uint32_t kGpioEventBuffer = GPIO_V2_LINES_MAX * 16u;  // the kernel's maximum

enum class GpioBias { as_is, none, pull_up, pull_down };

struct GpioLineConfig {
  std::uint32_t offset = 0;
  bool active_low = false;
  GpioBias bias = GpioBias::as_is;
  std::uint32_t debounce_us = 0;
};

// Lines of one chip that were requested together.
class GpioLines {
 public:
  virtual ~GpioLines() = default;
  // Readable while events wait, and when the chip is gone.
  virtual int fd() const = 0;
  // The oldest events that wait, at most `into.size()`; 0: none waits.
  virtual Result<std::size_t> read(std::span<gpio_v2_line_event> into) = 0;
  // Bit i: the i-th line requested is on.
  virtual Result<std::uint64_t> levels() = 0;
};

class GpioChips {
 public:
  virtual ~GpioChips() = default;
  virtual Result<std::unique_ptr<GpioLines>> request(const std::string& chip,
                                                     std::span<const GpioLineConfig> lines) = 0;
};

class KernelGpioChips final : public GpioChips {
 public:
  explicit KernelGpioChips(std::string device_directory = "/dev")
      : device_directory_(std::move(device_directory)) {}
  Result<std::unique_ptr<GpioLines>> request(const std::string& chip,
                                             std::span<const GpioLineConfig> lines) override;

 private:
  const std::string device_directory_;
};

// What is asked of the kernel. Error invalid: no line, more than kMaxGpioLines, or more kinds of
// settings than it takes (10).
Result<gpio_v2_line_request> gpio_line_request(std::span<const GpioLineConfig> lines);

}  // namespace berm::hal
