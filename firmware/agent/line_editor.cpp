// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/line_editor.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "hal/linux/http_client.hpp"
#include "hal/linux/module.hpp"

namespace berm::agent {
namespace {

class PlainLines final : public LineEditor {
 public:
  explicit PlainLines(std::string prompt) : prompt_(std::move(prompt)) {}

  Result<std::optional<std::string>> read() override {
    std::fputs(prompt_.c_str(), stdout);
    std::fflush(stdout);
    while (true) {
      if (const auto end = bytes_.find('\n'); end != std::string::npos) return cut(end);
      if (bytes_.size() > kMaxLineBytes) {
        is_too_long_ = true;
        bytes_.clear();
      }
      if (!more()) break;
    }
    if (bytes_.empty() && !is_too_long_) return std::optional<std::string>();
    return cut(bytes_.size());
  }

 private:
  Result<std::optional<std::string>> cut(std::size_t end) {
    std::string line = bytes_.substr(0, end);
    bytes_.erase(0, end + 1);
    if (std::exchange(is_too_long_, false) || line.size() > kMaxLineBytes) {
      return fail(ErrorCode::invalid, "the line is too long");
    }
    return std::optional(std::move(line));
  }

  bool more() {
    std::array<char, 4096> piece;
    ssize_t count = -1;
    do {
      count = ::read(STDIN_FILENO, piece.data(), piece.size());
    } while (count < 0 && errno == EINTR);
    if (count > 0) bytes_.append(piece.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

  const std::string prompt_;
  std::string bytes_;
  bool is_too_long_ = false;  // the begin of this line was dropped
};

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::unique_ptr<LineEditor> plain_lines(std::string prompt) {
  return std::make_unique<PlainLines>(std::move(prompt));
}

Result<std::unique_ptr<LineEditor>> load_line_editor(LineEditorOptions options) {
  BERM_TRY(const std::string modules, hal::default_module_directory());
  BERM_TRY(void* const address, hal::load_module(modules + "/" + kEditModule, kEditModuleEntry));
  std::unique_ptr<LineEditor> editor;
  reinterpret_cast<EditModuleEntry>(address)(std::move(options), editor);
  if (editor == nullptr) return fail(ErrorCode::unavailable, "the terminal cannot be edited on");
  return editor;
}

std::string history_path() {
  std::string base = environment("XDG_STATE_HOME");
  if (base.empty() || base.front() != '/') {
    const std::string home = environment("HOME");
    if (home.empty() || home.front() != '/') return "";
    base = home + "/.local/state";
  }
  std::error_code error;
  std::filesystem::create_directories(base + "/berm", error);
  return error ? "" : base + "/berm/history";
}

}  // namespace berm::agent
