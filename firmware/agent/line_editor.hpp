// SPDX-License-Identifier: Apache-2.0
// LineEditor: where the interactive shell's lines come from. The real one (editing, history,
// completion) is libedit's, in a module of its own, so that `berm run` maps none of it; where the
// module is not there, and where standard input is no terminal, lines are read as they are.
// Main's thread only; it blocks. Bounds: kMaxLineBytes a line (a longer one is an Error, its rest
// is passed over), kMaxHistory lines kept.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/shell/limits.hpp"
#include "hal/base/result.hpp"

namespace berm::agent {

inline constexpr std::size_t kMaxLineBytes = shell::kMaxRequestBytes - 1;
inline constexpr int kMaxHistory = 1000;

class LineEditor {
 public:
  virtual ~LineEditor() = default;
  // Without its newline; nullopt: there is no more.
  virtual Result<std::optional<std::string>> read() = 0;
};

struct LineEditorOptions {
  std::string prompt;
  std::string history_path;  // empty: none is kept
  // The candidates for the last word of what stands before the cursor.
  std::function<std::vector<std::string>(std::string_view before)> complete;
};

inline constexpr const char* kEditModule = "berm-edit.so";
inline constexpr const char* kEditModuleEntry = "berm_line_editor_create";
using EditModuleEntry = void (*)(LineEditorOptions options, std::unique_ptr<LineEditor>& editor);

// Error: the module cannot be had.
Result<std::unique_ptr<LineEditor>> load_line_editor(LineEditorOptions options);
// Of standard input, with `prompt` (empty: none).
std::unique_ptr<LineEditor> plain_lines(std::string prompt);

// ~/.local/state/berm/history or below $XDG_STATE_HOME, its folder made; empty: there is no home.
std::string history_path();

}  // namespace berm::agent
