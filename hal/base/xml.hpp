// SPDX-License-Identifier: Apache-2.0
// XmlReader: reads one XML document in pieces as they come from the wire, and tells a handler of
// elements and texts. expat does the parsing and stays inside. Who: miv_feed; later the DATEX feed.
//
// Promises: memory does not grow with the document (an unfinished token is at most max_token_bytes,
// a text max_text_bytes). Document type declarations are refused, so there are no entities but the
// five of XML and no entity bombs. A piece may be cut anywhere, also within a character. What was
// whole before an error has been told.
//
// Thread: any one. Lifetime: one document; handler > reader. Fails: Error with line and column:
// `invalid` not XML, or refused by the handler; `full` a limit; `closed` it ended in the middle.
// After an error every call gives that error again.
// Source: XML 1.0, 5th edition; expat 2.5.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "hal/base/result.hpp"

namespace berm {

inline constexpr std::size_t kMaxXmlAttributes = 16;

struct XmlAttribute {
  std::string_view name, value;
};

// Views are valid within the call. The answer: empty to go on, else why the document is refused.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual std::string_view start(std::string_view name,
                                 std::span<const XmlAttribute> attributes) = 0;
  // All there is between two tags, once, whitespace too; never empty. What a comment parts is one.
  virtual std::string_view text(std::string_view text) = 0;
  virtual std::string_view end(std::string_view name) = 0;
};

struct XmlLimits {
  std::size_t max_bytes = 32u << 20;        // of the document
  std::size_t max_token_bytes = 64u << 10;  // of a tag, a comment
  std::size_t max_text_bytes = 4096;        // between two tags
  std::size_t max_name_bytes = 256;         // of an element or attribute
  std::size_t max_value_bytes = 1024;       // of an attribute
  int max_depth = 16;
};

class XmlReader {
 public:
  XmlReader(XmlHandler& handler, XmlLimits limits);
  XmlReader(const XmlReader&) = delete;
  XmlReader& operator=(const XmlReader&) = delete;
  ~XmlReader();

  Result<void> feed(std::string_view piece);
  // The document is over; to be called once, after the last piece.
  Result<void> finish();
  std::size_t bytes() const;  // fed so far

 private:
  struct Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace berm
