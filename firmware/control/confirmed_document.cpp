// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/confirmed_document.hpp"

#include "firmware/control/limits.hpp"
#include "hal/base/digest.hpp"

namespace berm::control {
namespace {

constexpr std::string_view kHead = "// the last confirmed configuration; sha256 of what follows: ";
constexpr std::size_t kSumLength = 64;
constexpr std::size_t kTextBegin = kHead.size() + kSumLength + 1;

std::string path_in(const std::string& state_directory) {
  return state_directory + "/confirmed.json";
}

}  // namespace

Result<void> save_confirmed(hal::Disk& disk, const std::string& state_directory,
                            std::string_view text) {
  if (text.size() > kMaxDocumentBytes) {
    return fail(ErrorCode::full, "the document is too long to be kept");
  }
  const auto kept = load_confirmed(disk, state_directory);
  if (kept && *kept == text) return {};
  std::string bytes(kHead);
  bytes.append(sha256_hex(text)).append("\n").append(text);
  return disk.write_whole(path_in(state_directory), bytes);
}

Result<std::string> load_confirmed(const hal::Disk& disk, const std::string& state_directory) {
  const std::string path = path_in(state_directory);
  BERM_TRY(const std::string bytes, disk.read(path, kMaxDocumentBytes + kTextBegin));
  const bool has_head =
      bytes.size() >= kTextBegin && bytes.starts_with(kHead) && bytes[kTextBegin - 1] == '\n';
  if (!has_head) return fail(ErrorCode::damaged, path + ": the first line is not ours");
  std::string text = bytes.substr(kTextBegin);
  if (sha256_hex(text) != bytes.substr(kHead.size(), kSumLength)) {
    return fail(ErrorCode::damaged, path + ": the checksum does not hold");
  }
  return text;
}

}  // namespace berm::control
