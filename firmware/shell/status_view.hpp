// SPDX-License-Identifier: Apache-2.0
// The node's Status as a person reads it at the cabinet: at most 100 columns, one table per kind of
// thing. Pure: the same Status gives the same text. `summary` is the one line for logs and pipes.
#pragma once

#include <string>

#include "hal/base/status.hpp"

namespace berm::shell {

std::string status_text(const Status& root);
std::string status_summary(const Status& root);
// One part of it: "drivers", "outbox", "uplinks", "alarms".
std::string section_text(const Status& root, std::string_view section);

// Columns padded to their widest cell; the first is left-aligned, numbers right-aligned.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace berm::shell
