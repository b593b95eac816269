// SPDX-License-Identifier: Apache-2.0
#include "hal/base/json_scan.hpp"

#include <algorithm>

#include "hal/base/text.hpp"

namespace berm {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

class JsonScanner {
 public:
  JsonScanner(std::string_view text, bool comments) : comments_(comments) { scan_.text = text; }

  Result<JsonScan> run() {
    // A byte order mark is not JSON, but editors leave one.
    if (scan_.text.starts_with("\xEF\xBB\xBF")) blank(0, 3);
    while (ok() && at_ < scan_.text.size()) token();
    if (!ok()) return fail(json_error_at(scan_.text, error_at_, error_));
    return std::move(scan_);
  }

 private:
  bool ok() const { return error_.empty(); }

  void refuse(std::size_t offset, std::string_view what) {
    if (!ok()) return;
    error_at_ = offset;
    error_ = what;
  }

  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < scan_.text.size() ? scan_.text[at_ + ahead] : '\0';
  }

  void token() {
    const char c = peek();
    if (c == '"') {
      string();
    } else if (c == '-' || is_digit(c)) {
      number();
    } else if (c == '/') {
      comment();
    } else if (c == '{' || c == '[') {
      if (++nesting_ > kMaxJsonNesting) refuse(at_, "nested deeper than 32");
      ++at_;
    } else if (c == '}' || c == ']') {
      --nesting_;
      ++at_;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ':' ||
               (c >= 'a' && c <= 'z')) {
      ++at_;  // words and order are the parsing library's business
    } else {
      refuse(at_, "unexpected character");
    }
  }

  void string() {
    const std::size_t begin = at_++;
    while (ok() && peek() != '"') {
      if (at_ >= scan_.text.size()) return refuse(begin, "string without an end");
      if (static_cast<unsigned char>(peek()) < 0x20) {
        return refuse(at_, "control character in a string (write it as \\u00XX)");
      }
      if (peek() == '\\') {
        escape();
      } else {
        ++at_;
      }
    }
    ++at_;
    std::size_t next = at_;
    while (next < scan_.text.size() && is_blank(scan_.text[next])) ++next;
    if (next < scan_.text.size() && scan_.text[next] == '/') next = colon_behind_comment(next);
    if (next < scan_.text.size() && scan_.text[next] == ':') {
      scan_.keys.push_back(static_cast<std::uint32_t>(begin));
    }
  }

  void escape() {
    if (peek(1) != 'u') {
      static constexpr std::string_view kEscapes = "\"\\/bfnrt";
      if (kEscapes.find(peek(1)) == std::string_view::npos || peek(1) == '\0') {
        return refuse(at_, "unknown escape");
      }
      at_ += 2;
      return;
    }
    bool is_zero = true;
    for (std::size_t i = 2; i < 6; ++i) {
      if (!is_hex(peek(i))) return refuse(at_, "\\u needs four hexadecimal digits");
      is_zero = is_zero && peek(i) == '0';
    }
    if (is_zero) return refuse(at_, "\\u0000 is not allowed");
    at_ += 6;
  }

  void number() {
    const std::size_t begin = at_;
    if (peek() == '-') ++at_;
    const bool leading_zero = peek() == '0';
    const std::size_t whole = digits();
    bool good = whole > 0 && !(leading_zero && whole > 1);
    if (peek() == '.') {
      ++at_;
      good = digits() > 0 && good;
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      good = digits() > 0 && good;
    }
    if (!good) return refuse(begin, "not a JSON number");
    if (at_ - begin > kMaxNumberLength) return refuse(begin, "number of more than 60 characters");
    scan_.numbers.push_back(static_cast<std::uint32_t>(begin));
  }

  std::size_t digits() {
    const std::size_t begin = at_;
    while (is_digit(peek())) ++at_;
    return at_ - begin;
  }

  void comment() {
    const std::size_t begin = at_;
    const std::size_t end = comment_end(begin);
    if (!comments_) return refuse(begin, "comments are not allowed here");
    if (end == begin) return refuse(begin, "unexpected character");
    if (end == std::string::npos) return refuse(begin, "comment without an end");
    blank(begin, end);
    at_ = end;
  }

  // Behind the comment at `begin`; `begin`: there is none; npos: it does not end.
  std::size_t comment_end(std::size_t begin) const {
    const std::string_view rest = std::string_view(scan_.text).substr(begin);
    if (rest.starts_with("//")) return std::min(scan_.text.find('\n', begin), scan_.text.size());
    if (!rest.starts_with("/*")) return begin;
    const std::size_t end = scan_.text.find("*/", begin + 2);
    return end == std::string::npos ? end : end + 2;
  }

  // Comments between a key and its colon are blanked here already.
  std::size_t colon_behind_comment(std::size_t next) {
    while (comments_ && next < scan_.text.size()) {
      const std::size_t end = scan_.text[next] == '/' ? comment_end(next) : next;
      if (end == std::string::npos) break;
      if (end == next && !is_blank(scan_.text[next])) break;
      blank(next, end);
      next = std::max(end, next + 1);
    }
    return next;
  }

  void blank(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (scan_.text[i] != '\n') scan_.text[i] = ' ';
    }
  }

  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  // The parsing library cuts a number off behind 63 characters.
  static constexpr std::size_t kMaxNumberLength = 60;

  const bool comments_;
  JsonScan scan_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  std::size_t error_at_ = 0;
  std::string error_;
};

}  // namespace

Result<JsonScan> scan_json(std::string_view text, bool comments) {
  return JsonScanner(text, comments).run();
}

Error json_error_at(std::string_view text, std::size_t offset, std::string_view what) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++column;  // counts characters, not bytes
    }
  }
  return Error{ErrorCode::invalid,
               text_of("line %zu, column %zu: ", line, column) + std::string(what)};
}

}  // namespace berm
