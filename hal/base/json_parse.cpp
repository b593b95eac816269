// SPDX-License-Identifier: Apache-2.0
#include <cjson/cJSON.h>

#include <cmath>
#include <memory>
#include <mutex>
#include <set>

#include "hal/base/assert.hpp"
#include "hal/base/json.hpp"
#include "hal/base/json_scan.hpp"
#include "hal/base/text.hpp"

namespace berm {
namespace {

struct TreeDeleter {
  void operator()(cJSON* tree) const { cJSON_Delete(tree); }
};
using Tree = std::unique_ptr<cJSON, TreeDeleter>;

// The library writes the place of its last error into one static variable: one parse at a time.
Tree parse_tree(const std::string& text, std::size_t& end) {
  static std::mutex library;
  const std::lock_guard lock(library);
  const char* stopped = text.c_str();
  Tree tree(cJSON_ParseWithLengthOpts(text.c_str(), text.size() + 1, &stopped, 0));
  end = static_cast<std::size_t>(stopped - text.c_str());
  return tree;
}

// Walks the tree in document order, so the n-th key and number of the scan are the n-th met here.
class TreeReader {
 public:
  explicit TreeReader(const JsonScan& scan) : scan_(scan) {}

  Result<Json> read(const cJSON& node) {
    if (cJSON_IsObject(&node)) return read_object(node);
    if (cJSON_IsArray(&node)) return read_array(node);
    if (cJSON_IsNumber(&node)) return read_number(node);
    if (cJSON_IsString(&node)) return Json(std::string(node.valuestring));
    if (cJSON_IsBool(&node)) return Json(cJSON_IsTrue(&node) != 0);
    return Json();
  }

 private:
  Result<Json> read_object(const cJSON& node) {
    Json::Object members;
    std::set<std::string_view> seen;
    for (const cJSON* child = node.child; child != nullptr; child = child->next) {
      BERM_ASSERT(key_ < scan_.keys.size());
      const std::size_t offset = scan_.keys[key_++];
      if (!seen.insert(child->string).second) {
        return fail(json_error_at(scan_.text, offset,
                                  "key \"" + std::string(child->string) + "\" is there twice"));
      }
      BERM_TRY(Json value, read(*child));
      members.emplace_back(child->string, std::move(value));
    }
    return Json(std::move(members));
  }

  Result<Json> read_array(const cJSON& node) {
    Json::Array elements;
    for (const cJSON* child = node.child; child != nullptr; child = child->next) {
      BERM_TRY(Json value, read(*child));
      elements.push_back(std::move(value));
    }
    return Json(std::move(elements));
  }

  Result<Json> read_number(const cJSON& node) {
    BERM_ASSERT(number_ < scan_.numbers.size());
    const std::size_t offset = scan_.numbers[number_++];
    if (!std::isfinite(node.valuedouble)) {
      return fail(json_error_at(scan_.text, offset, "number out of range"));
    }
    return Json(node.valuedouble);
  }

  const JsonScan& scan_;
  std::size_t key_ = 0;
  std::size_t number_ = 0;
};

std::size_t first_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_sequence_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

}  // namespace

Result<Json> Json::parse(std::string_view text, Limits limits) {
  if (text.size() > limits.max_bytes) {
    return fail(ErrorCode::invalid, text_of("document of %zu bytes, at most %zu are allowed",
                                            text.size(), limits.max_bytes));
  }
  const std::size_t broken = first_invalid_utf8(text);
  if (broken != std::string_view::npos) {
    return fail(json_error_at(text, broken, "not UTF-8"));
  }
  BERM_TRY(const JsonScan scan, scan_json(text, limits.comments));
  if (scan.text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail(ErrorCode::invalid, "line 1, column 1: the document is empty");
  }
  std::size_t end = 0;
  const Tree tree = parse_tree(scan.text, end);
  if (!tree) return fail(json_error_at(scan.text, end, "not valid JSON here"));
  const std::size_t behind = scan.text.find_first_not_of(" \t\r\n", end);
  if (behind != std::string::npos) {
    return fail(json_error_at(scan.text, behind, "text after the end of the document"));
  }
  return TreeReader(scan).read(*tree);
}

}  // namespace berm
