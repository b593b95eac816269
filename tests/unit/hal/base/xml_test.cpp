// SPDX-License-Identifier: Apache-2.0
#include "hal/base/xml.hpp"

#include <gtest/gtest.h>

#include <string>

namespace berm {
namespace {

// Writes down what it is told: "<a x=1>text</a>".
class Scribe final : public XmlHandler {
 public:
  std::string_view start(std::string_view name, std::span<const XmlAttribute> attributes) override {
    told += "<" + std::string(name);
    for (const XmlAttribute& one : attributes) {
      told += " " + std::string(one.name) + "=" + std::string(one.value);
    }
    told += ">";
    return name == "forbidden" ? "that is forbidden" : "";
  }
  std::string_view text(std::string_view text) override {
    told += text;
    return text == "bad" ? "a bad text" : "";
  }
  std::string_view end(std::string_view name) override {
    told += "</" + std::string(name) + ">";
    return name == "endless" ? "it had an end" : "";
  }
  std::string told;
};

struct Read {
  std::string told;
  Result<void> result;
};

Read read(std::string_view document, std::size_t piece = 1u << 20, XmlLimits limits = {}) {
  Scribe scribe;
  XmlReader reader(scribe, limits);
  Result<void> result;
  for (std::size_t at = 0; at < document.size() && result; at += piece) {
    result = reader.feed(document.substr(at, piece));
  }
  if (result) result = reader.finish();
  return {scribe.told, result};
}

std::string error_of(const Read& read) {
  return read.result ? "none" : read.result.error().text;
}

constexpr std::string_view kDocument =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a comment -->\n"
    "<r a=\"1\" b='&lt;2&gt;'>\n <p>één &amp; <![CDATA[<twee>]]><!-- x -->!</p><q/></r>\n";
constexpr std::string_view kTold = "<r a=1 b=<2>>\n <p>één & <twee>!</p><q></q></r>";

TEST(XmlReader, TellsElementsAttributesAndWholeTextsWhereverTheDocumentIsCut) {
  for (std::size_t piece = 1; piece <= kDocument.size(); ++piece) {
    const Read got = read(kDocument, piece);
    ASSERT_TRUE(got.result) << got.result.error().text;
    ASSERT_EQ(got.told, kTold) << "in pieces of " << piece;
  }
}

TEST(XmlReader, SaysThatADocumentEndsInTheMiddleWhereverThatIs) {
  const std::string_view body = kDocument.substr(0, kDocument.rfind("</r>"));
  for (std::size_t length = 0; length < body.size(); ++length) {
    const Read got = read(body.substr(0, length));
    ASSERT_FALSE(got.result);
    ASSERT_EQ(got.result.error().code, ErrorCode::closed) << length << ": " << error_of(got);
  }
}

TEST(XmlReader, NamesLineAndColumnOfWhatIsNotXml) {
  EXPECT_EQ(error_of(read("<a>\n<b></c></a>")), "line 2, column 6: mismatched tag");
  EXPECT_EQ(error_of(read("not xml")), "line 1, column 1: syntax error");
  EXPECT_EQ(error_of(read("<a/><b/>")), "line 1, column 5: junk after document element");
  EXPECT_FALSE(read("<a>\xff</a>").result);
  EXPECT_FALSE(read("<?xml version=\"1.0\" encoding=\"klingon\"?><a/>").result);
}

TEST(XmlReader, RefusesDocumentTypesAndWithThemAllEntities) {
  const Read bomb =
      read("<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;\">]><a>&y;</a>");
  EXPECT_NE(error_of(bomb).find("a document type is declared"), std::string::npos);
  EXPECT_EQ(bomb.told, "");
  EXPECT_FALSE(read("<!DOCTYPE html><html></html>").result);
  EXPECT_FALSE(read("<a>&unknown;</a>").result);
}

TEST(XmlReader, StopsWhereTheHandlerRefusesAndTellsNothingMore) {
  const Read start = read("<a><b/><forbidden/><c/></a>");
  EXPECT_EQ(start.told, "<a><b></b><forbidden>");
  EXPECT_EQ(error_of(start), "line 1, column 8: that is forbidden");
  EXPECT_EQ(read("<a>bad</a>").told, "<a>bad");
  EXPECT_EQ(read("<a><endless/><c/></a>").told, "<a><endless></endless>");
}

TEST(XmlReader, GivesTheSameErrorAgain) {
  Scribe scribe;
  XmlReader reader(scribe, {});
  const auto first = reader.feed("<a></b>");
  ASSERT_FALSE(first);
  const auto again = reader.feed("<c>");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().text, first.error().text);
  EXPECT_FALSE(reader.finish());
}

TEST(XmlReader, HoldsTheDepth) {
  EXPECT_TRUE(read("<a><b><c/></b></a>", 100, {.max_depth = 3}).result);
  const Read deep = read("<a><b><c><d/></c></b></a>", 100, {.max_depth = 3});
  ASSERT_FALSE(deep.result);
  EXPECT_EQ(deep.result.error().code, ErrorCode::full);
}

TEST(XmlReader, HoldsTheBytesOfADocument) {
  const std::string document = "<a>" + std::string(90, ' ') + "</a>";  // 97 bytes
  EXPECT_TRUE(read(document, 10, {.max_bytes = 97}).result);
  const Read longer = read(document, 10, {.max_bytes = 96});
  ASSERT_FALSE(longer.result);
  EXPECT_EQ(longer.result.error().code, ErrorCode::full);
  EXPECT_EQ(error_of(longer), "the document is longer than 96 bytes");
}

TEST(XmlReader, HoldsTextsNamesAndAttributes) {
  const XmlLimits limits{.max_text_bytes = 5, .max_name_bytes = 4, .max_value_bytes = 3};
  EXPECT_TRUE(read("<a>12345</a>", 1, limits).result);
  EXPECT_FALSE(read("<a>123456</a>", 1, limits).result);
  EXPECT_TRUE(read("<abcd wxyz='123'/>", 1, limits).result);
  EXPECT_FALSE(read("<abcde/>", 1, limits).result);
  EXPECT_FALSE(read("<a vwxyz='1'/>", 1, limits).result);
  EXPECT_FALSE(read("<a x='1234'/>", 1, limits).result);
}

TEST(XmlReader, HoldsTheNumberOfAttributes) {
  std::string most = "<a";
  for (std::size_t i = 0; i < kMaxXmlAttributes; ++i) most += " x" + std::to_string(i) + "='1'";
  EXPECT_TRUE(read(most + "/>").result);
  EXPECT_FALSE(read(most + " y='1'/>").result);
}

TEST(XmlReader, DoesNotWaitForAnEndThatNeverComes) {
  for (const std::string begin : {"<a x='", "<a><!-- ", "<", "<a><?p "}) {
    const Read got = read(begin + std::string(200'000, 'x'), 1000, {.max_token_bytes = 50'000});
    ASSERT_FALSE(got.result);
    EXPECT_EQ(got.result.error().code, ErrorCode::full) << begin << ": " << error_of(got);
  }
}

}  // namespace
}  // namespace berm
