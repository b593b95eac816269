// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/gpio_chip.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "hal/base/unique_fd.hpp"

namespace berm::hal {

namespace {

constexpr std::string_view kConsumer = "berm";  // what gpioinfo shows

std::uint64_t flags_of(const GpioLineConfig& line) {
  std::uint64_t flags =
      GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
  if (line.active_low) flags |= GPIO_V2_LINE_FLAG_ACTIVE_LOW;
  switch (line.bias) {
    case GpioBias::as_is:
      break;
    case GpioBias::none:
      flags |= GPIO_V2_LINE_FLAG_BIAS_DISABLED;
      break;
    case GpioBias::pull_up:
      flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_UP;
      break;
    case GpioBias::pull_down:
      flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN;
      break;
  }
  return flags;
}

class KernelGpioLines final : public GpioLines {
 public:
  KernelGpioLines(UniqueFd fd, std::string chip, std::size_t count)
      : fd_(std::move(fd)), chip_(std::move(chip)), count_(count) {}

  int fd() const override { return fd_.get(); }

  Result<std::size_t> read(std::span<gpio_v2_line_event> into) override {
    const ssize_t bytes = ::read(fd_.get(), into.data(), into.size_bytes());
    if (bytes >= 0) return static_cast<std::size_t>(bytes) / sizeof(gpio_v2_line_event);
    if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
    return gone(errno);
  }

  Result<std::uint64_t> levels() override {
    gpio_v2_line_values values{};
    values.mask = count_ == kMaxGpioLines ? ~std::uint64_t{0} : (std::uint64_t{1} << count_) - 1;
    if (::ioctl(fd_.get(), GPIO_V2_LINE_GET_VALUES_IOCTL, &values) != 0) return gone(errno);
    return std::uint64_t{values.bits};
  }

 private:
  std::unexpected<Error> gone(int number) const {
    return fail(ErrorCode::unavailable, system_error("GPIO chip " + chip_, number).text, number);
  }

  UniqueFd fd_;
  std::string chip_;
  std::size_t count_;
};

Result<UniqueFd> open_chip(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.is_open()) return fail(system_error("GPIO chip " + path, errno));
  return fd;
}

// The device whose name or label is `name`.
Result<std::string> find_chip(const std::string& directory, const std::string& name) {
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> open(::opendir(directory.c_str()), close);
  std::vector<std::string> found;
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    if (!std::string_view(entry->d_name).starts_with("gpiochip")) continue;
    const std::string path = directory + "/" + entry->d_name;
    const auto chip = open_chip(path);
    gpiochip_info about{};
    if (!chip || ::ioctl(chip->get(), GPIO_GET_CHIPINFO_IOCTL, &about) != 0) continue;
    if (name == about.name || name == about.label) found.push_back(path);
  }
  if (found.empty()) return fail(ErrorCode::not_found, "no GPIO chip is called " + name);
  if (found.size() > 1) return fail(ErrorCode::invalid, "several GPIO chips are called " + name);
  return found.front();
}

}  // namespace

Result<gpio_v2_line_request> gpio_line_request(std::span<const GpioLineConfig> lines) {
  if (lines.empty() || lines.size() > kMaxGpioLines) {
    return fail(ErrorCode::invalid, "one GPIO request takes 1…" + std::to_string(kMaxGpioLines) +
                                        " lines, not " + std::to_string(lines.size()));
  }
  gpio_v2_line_request request{};
  std::map<std::uint64_t, std::uint64_t> flags;  // value → mask of its lines
  std::map<std::uint32_t, std::uint64_t> debounce;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    request.offsets[i] = lines[i].offset;
    flags[flags_of(lines[i])] |= std::uint64_t{1} << i;
    if (lines[i].debounce_us > 0) debounce[lines[i].debounce_us] |= std::uint64_t{1} << i;
  }
  request.config.flags = flags_of(lines[0]);
  flags.erase(request.config.flags);
  if (flags.size() + debounce.size() > GPIO_V2_LINE_NUM_ATTRS_MAX) {
    return fail(ErrorCode::invalid, "the lines of one GPIO chip have too many different settings");
  }
  for (const auto& [value, mask] : flags) {
    auto& attribute = request.config.attrs[request.config.num_attrs++];
    attribute.attr.id = GPIO_V2_LINE_ATTR_ID_FLAGS;
    attribute.attr.flags = value;
    attribute.mask = mask;
  }
  for (const auto& [value, mask] : debounce) {
    auto& attribute = request.config.attrs[request.config.num_attrs++];
    attribute.attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
    attribute.attr.debounce_period_us = value;
    attribute.mask = mask;
  }
  std::copy(kConsumer.begin(), kConsumer.end(), request.consumer);
  request.num_lines = static_cast<std::uint32_t>(lines.size());
  request.event_buffer_size = kGpioEventBuffer;
  return request;
}

Result<std::unique_ptr<GpioLines>> KernelGpioChips::request(const std::string& chip,
                                                            std::span<const GpioLineConfig> lines) {
  BERM_TRY(gpio_v2_line_request request, gpio_line_request(lines));
  std::string path = chip;
  if (!chip.starts_with('/')) {
    BERM_TRY(path, find_chip(device_directory_, chip));
  }
  BERM_TRY(const UniqueFd device, open_chip(path));
  if (::ioctl(device.get(), GPIO_V2_GET_LINE_IOCTL, &request) != 0) {
    return fail(system_error("lines of GPIO chip " + chip, errno));
  }
  UniqueFd fd(request.fd);
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail(system_error("lines of GPIO chip " + chip, errno));
  }
  return std::make_unique<KernelGpioLines>(std::move(fd), chip, lines.size());
}

}  // namespace berm::hal
