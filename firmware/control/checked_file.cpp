// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/checked_file.hpp"

#include "hal/base/digest.hpp"

namespace berm::control {
namespace {

constexpr std::size_t kSumLength = 64;

}  // namespace

Result<void> save_checked(hal::Disk& disk, const CheckedFile& file, std::string_view text) {
  if (text.size() > file.max_bytes) {
    return fail(ErrorCode::full, "the document is too long to be kept");
  }
  const auto kept = load_checked(disk, file);
  if (kept && *kept == text) return {};
  std::string bytes(file.head);
  bytes.append(sha256_hex(text)).append("\n").append(text);
  return disk.write_whole(file.path, bytes);
}

Result<std::string> load_checked(const hal::Disk& disk, const CheckedFile& file) {
  const std::size_t begin = file.head.size() + kSumLength + 1;
  BERM_TRY(const std::string bytes, disk.read(file.path, file.max_bytes + begin));
  const bool has_head =
      bytes.size() >= begin && bytes.starts_with(file.head) && bytes[begin - 1] == '\n';
  if (!has_head) return fail(ErrorCode::damaged, file.path + ": the first line is not ours");
  std::string text = bytes.substr(begin);
  if (sha256_hex(text) != bytes.substr(file.head.size(), kSumLength)) {
    return fail(ErrorCode::damaged, file.path + ": the checksum does not hold");
  }
  return text;
}

}  // namespace berm::control
