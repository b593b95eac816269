// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/columns.hpp"

#include <cstdint>
#include <cstring>

namespace berm::outbox {
namespace {

constexpr char kSame = '=';
constexpr char kEach = ':';
constexpr std::string_view kBeforeName = ",\"";
constexpr std::string_view kAfterName = "\":";

// Reads one tail member by member.
class Members {
 public:
  explicit Members(std::string_view tail, std::size_t at = 0) : rest_(tail.substr(at)) {}

  bool is_at_end() const { return rest_.empty(); }

  // The name of the member that comes; empty: none that can be read.
  std::string_view name() {
    if (!skip(kBeforeName)) return {};
    const std::size_t size = rest_.find_first_of("\"\\\n");
    if (size == std::string_view::npos) return {};
    const std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return skip(kAfterName) ? name : std::string_view();
  }

  // Its value as it is written; empty: none that can be read.
  std::string_view value() {
    const std::string_view value = rest_.substr(0, value_size());
    rest_.remove_prefix(value.size());
    return value.find('\n') == std::string_view::npos ? value : std::string_view();
  }

 private:
  bool skip(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }

  // Up to the comma before the next member. A text may hold one, and so may what is nested.
  std::size_t value_size() const {
    int depth = 0;
    bool is_text = false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (is_text) {
        if (c == '\\') ++i;
        is_text = c != '"';
      } else if (c == '"') {
        is_text = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        --depth;
      } else if (c == ',' && depth == 0) {
        return i;
      }
    }
    return rest_.size();
  }

  std::string_view rest_;
};

// Turns tails of the same names, a column at a time.
class Turning {
 public:
  explicit Turning(std::span<const std::string_view> tails) : tails_(tails), at_(tails.size()) {}

  bool run() {
    while (at_[0] < tails_[0].size()) {
      if (!turn_column()) return false;
    }
    for (std::size_t i = 0; i < tails_.size(); ++i) {
      if (at_[i] != tails_[i].size()) return false;
    }
    return true;
  }
  std::string take() { return std::move(out_); }

 private:
  bool turn_column() {
    const std::string_view name = Members(tails_[0], at_[0]).name();
    if (name.empty()) return false;
    const std::size_t begin = out_.size();
    out_ += kEach;
    out_ += name;
    out_ += '\n';
    const std::size_t values = out_.size();
    bool is_same = true;
    std::string_view first;
    for (std::size_t i = 0; i < tails_.size(); ++i) {
      Members members(tails_[i], at_[i]);
      if (members.name() != name) return false;
      const std::string_view value = members.value();
      if (value.empty()) return false;
      if (i == 0) first = value;
      is_same = is_same && value == first;
      out_ += value;
      out_ += '\n';
      at_[i] += static_cast<std::uint32_t>(kBeforeName.size() + name.size() + kAfterName.size() +
                                           value.size());
    }
    if (is_same) {
      out_[begin] = kSame;
      out_.resize(values + first.size() + 1);
    }
    return true;
  }

  std::span<const std::string_view> tails_;
  std::vector<std::uint32_t> at_;  // how far each is read
  std::string out_;
};

struct Column {
  std::string_view name;
  std::string_view values;  // what is still to be read
  bool is_same = false;
};

// What stands before the next newline, which goes with it; nothing: there is none.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t size = text.find('\n');
  if (size == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, size);
  text.remove_prefix(size + 1);
  return line;
}

std::unexpected<Error> damaged() {
  return fail(ErrorCode::damaged, "outbox segment: its columns do not add up");
}

// The column that comes, of `count` tails; `bytes` grows by what it adds to them.
Result<Column> read_column(std::string_view& text, std::size_t count, std::size_t& bytes) {
  const char kind = text.front();
  if (kind != kSame && kind != kEach) return damaged();
  text.remove_prefix(1);
  const auto name = take_line(text);
  if (!name) return damaged();
  Column column{*name, text, kind == kSame};
  const std::size_t lines = column.is_same ? 1 : count;
  std::size_t values = 0;
  for (std::size_t i = 0; i < lines; ++i) {
    const auto value = take_line(text);
    if (!value) return damaged();
    values += value->size();
  }
  const std::size_t around = kBeforeName.size() + name->size() + kAfterName.size();
  bytes += count * around + (column.is_same ? count * values : values);
  return column;
}

char* put(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* put_tail(char* to, std::vector<Column>& columns) {
  for (Column& column : columns) {
    std::string_view rest = column.values;
    const std::string_view value = *take_line(rest);  // read_column has seen it
    if (!column.is_same) column.values = rest;
    to = put(put(put(put(to, kBeforeName), column.name), kAfterName), value);
  }
  return to;
}

}  // namespace

std::optional<std::string> columns_of(std::span<const std::string_view> tails) {
  Turning turning(tails);
  if (!turning.run()) return std::nullopt;
  return turning.take();
}

Result<Tails> tails_of(std::string_view columns, std::size_t count, std::size_t max_bytes) {
  std::vector<Column> read;
  std::size_t bytes = 0;
  while (!columns.empty()) {
    BERM_TRY(const Column column, read_column(columns, count, bytes));
    if (bytes > max_bytes) return damaged();
    read.push_back(column);
  }
  Tails tails;
  tails.bytes = std::make_unique_for_overwrite<char[]>(bytes);
  tails.views.reserve(count);
  char* at = tails.bytes.get();
  for (std::size_t i = 0; i < count; ++i) {
    char* const end = put_tail(at, read);
    tails.views.emplace_back(at, static_cast<std::size_t>(end - at));
    at = end;
  }
  return tails;
}

}  // namespace berm::outbox
