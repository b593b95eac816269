// SPDX-License-Identifier: Apache-2.0
// The module berm-edit.so (see line_editor.hpp): lines edited on the terminal by libedit. Keys as
// in emacs or as ~/.editrc says; Tab completes; Ctrl-C drops the line; Ctrl-D on an empty one ends.
#include <histedit.h>
#include <sys/stat.h>

#include <algorithm>
#include <clocale>
#include <cstdio>

#include "firmware/agent/line_editor.hpp"
#include "hal/linux/module.hpp"

BERM_MODULE_BUILD_ID;

namespace berm::agent {
namespace {

struct EditLineCloser {
  void operator()(EditLine* edit) const { el_end(edit); }
};
struct HistoryCloser {
  void operator()(History* history) const { history_end(history); }
};

class EditedLines final : public LineEditor {
 public:
  explicit EditedLines(LineEditorOptions options)
      : options_(std::move(options)),
        history_(history_init()),
        edit_(el_init("berm", stdin, stdout, stderr)) {
    if (!is_usable()) return;
    HistEvent event{};
    history(history_.get(), &event, H_SETSIZE, kMaxHistory);
    history(history_.get(), &event, H_SETUNIQUE, 1);
    if (!options_.history_path.empty()) {
      history(history_.get(), &event, H_LOAD, options_.history_path.c_str());
    }
    EditLine* const edit = edit_.get();
    el_set(edit, EL_CLIENTDATA, this);
    el_set(edit, EL_PROMPT, &EditedLines::prompt);
    el_set(edit, EL_HIST, ::history, history_.get());
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_SIGNAL, 1);  // a signal that ends us leaves the terminal as it was
    el_set(edit, EL_ADDFN, "berm-complete", "completes a word", &EditedLines::complete);
    el_set(edit, EL_ADDFN, "berm-drop", "drops the line", &EditedLines::drop);
    el_source(edit, nullptr);
    el_set(edit, EL_BIND, "^I", "berm-complete", nullptr);
    el_set(edit, EL_BIND, "^C", "berm-drop", nullptr);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(edit, EL_SETTY, "-d", "-isig", nullptr);
  }
  EditedLines(const EditedLines&) = delete;
  EditedLines& operator=(const EditedLines&) = delete;
  ~EditedLines() override { keep_history(); }

  bool is_usable() const { return history_ != nullptr && edit_ != nullptr; }

  Result<std::optional<std::string>> read() override {
    std::string line;
    do {
      is_dropped_ = false;
      el_resize(edit_.get());
      int count = 0;
      const char* const bytes = el_gets(edit_.get(), &count);
      if (bytes == nullptr || count <= 0) {
        std::fputs("\n", stdout);
        return std::optional<std::string>();
      }
      line.assign(bytes, static_cast<std::size_t>(count));
    } while (is_dropped_);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    if (line.size() > kMaxLineBytes) return fail(ErrorCode::invalid, "the line is too long");
    HistEvent event{};
    if (line.find_first_not_of(' ') != std::string::npos) {
      history(history_.get(), &event, H_ENTER, line.c_str());
    }
    return std::optional(std::move(line));
  }

 private:
  static EditedLines& self_of(EditLine* edit) {
    void* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    return *static_cast<EditedLines*>(self);
  }

  static char* prompt(EditLine* edit) { return self_of(edit).options_.prompt.data(); }

  static unsigned char drop(EditLine* edit, int) {
    self_of(edit).is_dropped_ = true;
    std::fputs("^C", stdout);
    return CC_NEWLINE;
  }

  static unsigned char complete(EditLine* edit, int) { return self_of(edit).complete_word(); }

  // Puts in what all candidates have in common; where that is nothing, lists them.
  unsigned char complete_word() {
    const LineInfo* const info = el_line(edit_.get());
    const std::string before(info->buffer, info->cursor);
    const std::size_t space = before.find_last_of(' ');
    const std::string word = space == std::string::npos ? before : before.substr(space + 1);
    std::vector<std::string> candidates = options_.complete(before);
    std::erase_if(candidates, [&](const std::string& one) { return !one.starts_with(word); });
    if (candidates.empty()) return CC_ERROR;
    std::string common = candidates.front();
    for (const std::string& one : candidates) {
      const auto differs = std::ranges::mismatch(common, one).in1;
      common.erase(differs, common.end());
    }
    std::string insert = common.substr(word.size());
    if (candidates.size() == 1) insert += ' ';
    if (!insert.empty())
      return el_insertstr(edit_.get(), insert.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    std::string list = "\n";
    for (const std::string& one : candidates) list += one + "  ";
    std::fprintf(stdout, "%s\n", list.c_str());
    return CC_REDISPLAY;
  }

  // Whole or not at all: a full disk must not cost the lines of before.
  void keep_history() {
    if (!is_usable() || options_.history_path.empty()) return;
    const std::string beside = options_.history_path + ".new";
    HistEvent event{};
    const ::mode_t before = ::umask(0077);
    const int saved = history(history_.get(), &event, H_SAVE, beside.c_str());
    ::umask(before);
    if (saved < 0 || std::rename(beside.c_str(), options_.history_path.c_str()) != 0) {
      std::remove(beside.c_str());
    }
  }

  LineEditorOptions options_;
  std::unique_ptr<History, HistoryCloser> history_;
  std::unique_ptr<EditLine, EditLineCloser> edit_;
  bool is_dropped_ = false;
};

}  // namespace
}  // namespace berm::agent

extern "C" [[gnu::visibility("default")]] void berm_line_editor_create(
    berm::agent::LineEditorOptions options, std::unique_ptr<berm::agent::LineEditor>& editor);

void berm_line_editor_create(berm::agent::LineEditorOptions options,
                             std::unique_ptr<berm::agent::LineEditor>& editor) {
  // Letters beyond ASCII are letters, also where no locale is set.
  if (std::setlocale(LC_CTYPE, "") == nullptr) std::setlocale(LC_CTYPE, "C.UTF-8");
  auto lines = std::make_unique<berm::agent::EditedLines>(std::move(options));
  if (lines->is_usable()) editor = std::move(lines);
}
