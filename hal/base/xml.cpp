// SPDX-License-Identifier: Apache-2.0
#include "hal/base/xml.hpp"

#include <expat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "hal/base/assert.hpp"

namespace berm {
namespace {

// What expat is given at once: small, so that a limit is noticed soon after it is passed.
constexpr std::size_t kPieceBytes = 16384;

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

bool is_end_in_the_middle(XML_Error code) {
  return code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN ||
         code == XML_ERROR_PARTIAL_CHAR || code == XML_ERROR_UNCLOSED_CDATA_SECTION;
}

}  // namespace

struct XmlReader::Machine {
  Machine(XmlHandler& to, XmlLimits bounds)
      : handler(to), limits(bounds), parser(XML_ParserCreate(nullptr)) {
    BERM_ASSERT(parser != nullptr);  // no memory for a few kilobytes
    XML_SetUserData(parser.get(), this);
    XML_SetElementHandler(parser.get(), &Machine::on_start, &Machine::on_end);
    XML_SetCharacterDataHandler(parser.get(), &Machine::on_text);
    XML_SetStartDoctypeDeclHandler(parser.get(), &Machine::on_doctype);
    XML_SetDefaultHandler(parser.get(), &Machine::on_other);
  }

  static void on_start(void* self, const char* name, const char** attributes) {
    static_cast<Machine*>(self)->start(name, attributes);
  }
  static void on_end(void* self, const char* name) { static_cast<Machine*>(self)->end(name); }
  static void on_text(void* self, const char* bytes, int length) {
    static_cast<Machine*>(self)->add_text({bytes, static_cast<std::size_t>(length)});
  }
  static void on_doctype(void* self, const char*, const char*, const char*, int) {
    static_cast<Machine*>(self)->refuse(ErrorCode::invalid, "a document type is declared");
  }
  static void on_other(void* self, const char*, int) {
    static_cast<Machine*>(self)->unfinished = 0;
  }

  void start(std::string_view name, const char** pairs);
  void end(std::string_view name);
  void add_text(std::string_view piece);
  bool tell_text();
  void obey(std::string_view refusal);
  void refuse(ErrorCode code, std::string_view why);
  Result<void> give(std::string_view piece, bool is_last);
  Error describe(XML_Error code) const;
  std::string position() const;

  XmlHandler& handler;
  const XmlLimits limits;
  std::unique_ptr<std::remove_pointer_t<XML_Parser>, FreeParser> parser;
  std::string waiting_text;
  std::size_t total = 0;
  std::size_t unfinished = 0;  // bytes since a token ended
  int depth = 0;
  bool is_over = false;
  Error error;  // text empty: none
};

void XmlReader::Machine::start(std::string_view name, const char** pairs) {
  unfinished = 0;
  if (!tell_text()) return;
  if (++depth > limits.max_depth) return refuse(ErrorCode::full, "elements are nested too deep");
  if (name.size() > limits.max_name_bytes) return refuse(ErrorCode::full, "a name is too long");
  std::array<XmlAttribute, kMaxXmlAttributes> attributes;
  std::size_t count = 0;
  for (; pairs[0] != nullptr; pairs += 2) {
    if (count == attributes.size()) return refuse(ErrorCode::full, "too many attributes");
    XmlAttribute& attribute = attributes[count++];
    attribute = {pairs[0], pairs[1]};
    if (attribute.name.size() > limits.max_name_bytes ||
        attribute.value.size() > limits.max_value_bytes) {
      return refuse(ErrorCode::full, "an attribute is too long");
    }
  }
  obey(handler.start(name, std::span(attributes).first(count)));
}

void XmlReader::Machine::end(std::string_view name) {
  unfinished = 0;
  if (!tell_text()) return;
  --depth;
  obey(handler.end(name));
}

void XmlReader::Machine::add_text(std::string_view piece) {
  unfinished = 0;
  if (!error.text.empty()) return;
  if (waiting_text.size() + piece.size() > limits.max_text_bytes) {
    return refuse(ErrorCode::full, "a text is too long");
  }
  waiting_text += piece;
}

// False: the document has been refused, nothing more is told.
bool XmlReader::Machine::tell_text() {
  if (!error.text.empty()) return false;
  if (waiting_text.empty()) return true;
  obey(handler.text(waiting_text));
  waiting_text.clear();
  return error.text.empty();
}

void XmlReader::Machine::obey(std::string_view refusal) {
  if (!refusal.empty()) refuse(ErrorCode::invalid, refusal);
}

// expat may still call some handlers of the same token: they see that there is an error.
void XmlReader::Machine::refuse(ErrorCode code, std::string_view why) {
  if (!error.text.empty()) return;
  error = Error{code, position() + std::string(why), 0};
  XML_StopParser(parser.get(), XML_FALSE);
}

std::string XmlReader::Machine::position() const {
  return "line " + std::to_string(XML_GetCurrentLineNumber(parser.get())) + ", column " +
         std::to_string(XML_GetCurrentColumnNumber(parser.get()) + 1) + ": ";
}

Error XmlReader::Machine::describe(XML_Error code) const {
  const bool is_cut = is_over && is_end_in_the_middle(code);
  const std::string what = is_cut ? "the document ends in the middle" : XML_ErrorString(code);
  return Error{is_cut ? ErrorCode::closed : ErrorCode::invalid, position() + what, 0};
}

Result<void> XmlReader::Machine::give(std::string_view piece, bool is_last) {
  if (!error.text.empty()) return fail(error);
  unfinished += piece.size();
  const XML_Status status =
      XML_Parse(parser.get(), piece.data(), static_cast<int>(piece.size()), is_last ? 1 : 0);
  if (error.text.empty() && status != XML_STATUS_OK) {
    error = describe(XML_GetErrorCode(parser.get()));
  } else if (error.text.empty() && unfinished > limits.max_token_bytes) {
    error = Error{ErrorCode::full, position() + "a tag or comment is too long", 0};
  }
  if (!error.text.empty()) return fail(error);
  return {};
}

XmlReader::XmlReader(XmlHandler& handler, XmlLimits limits)
    : machine_(std::make_unique<Machine>(handler, limits)) {}

XmlReader::~XmlReader() = default;

Result<void> XmlReader::feed(std::string_view piece) {
  BERM_ASSERT(!machine_->is_over);
  while (!piece.empty()) {
    const std::size_t room = machine_->limits.max_bytes - machine_->total;
    if (room == 0 && machine_->error.text.empty()) {
      machine_->error =
          Error{ErrorCode::full,
                "the document is longer than " + std::to_string(machine_->total) + " bytes", 0};
    }
    const std::string_view now = piece.substr(0, std::min({piece.size(), room, kPieceBytes}));
    BERM_CHECK(machine_->give(now, false));
    machine_->total += now.size();
    piece.remove_prefix(now.size());
  }
  return {};
}

Result<void> XmlReader::finish() {
  BERM_ASSERT(!machine_->is_over);
  machine_->is_over = true;
  return machine_->give({}, true);
}

std::size_t XmlReader::bytes() const {
  return machine_->total;
}

}  // namespace berm
