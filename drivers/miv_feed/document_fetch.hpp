// SPDX-License-Identifier: Apache-2.0
// DocumentFetch: gets one of the feed's two documents again and again, only where it has changed
// (ETag, Last-Modified), and hands it over in pieces as it comes in. Who: MivFeed.
//
// Promises: one request at a time, at most kMaxDocumentBytes and kRequestTimeout long. What a
// server says to recognise a document by is kept only if all of it was read without fault: a
// broken document is asked for again. Redirects are not followed. Thread: the loop's. Lifetime:
// client > fetch; its death ends the request. Fails: every end is a FetchReport, in words.
// Source: RFC 9110 (13: conditional requests; 10.2.3: Retry-After).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/miv_feed/limits.hpp"
#include "hal/base/result.hpp"
#include "hal/http_client.hpp"

namespace berm::drivers::miv_feed {

enum class FetchEnd {
  read,       // all of it
  unchanged,  // 304
  down,       // no answer, or one without a document
  invalid,    // an answer that is not the document, or not all of it
};

struct FetchReport {
  FetchEnd end = FetchEnd::down;
  std::string reason;  // one word, for counting: "timeout", "redirect", "http_503", "cut" …
  std::string text;    // for a person
  std::optional<Seconds> retry_after;
};

// Who reads the document. Errors: `closed` it ended in the middle, `full` too long, else invalid.
class DocumentReader {
 public:
  virtual ~DocumentReader() = default;
  virtual Result<void> feed(std::string_view piece) = 0;
  virtual Result<void> finish() = 0;
};

class DocumentFetch {
 public:
  using Done = std::function<void(const FetchReport&)>;
  DocumentFetch(hal::HttpClient& client, std::string url);
  DocumentFetch(const DocumentFetch&) = delete;
  DocumentFetch& operator=(const DocumentFetch&) = delete;
  ~DocumentFetch() { cancel(); }

  // Precondition: none is under way. `reader` lives until `done`, which may begin the next.
  void begin(DocumentReader& reader, Done done);
  void cancel();
  // Whether the server can say that nothing has changed.
  bool is_conditional() const { return !etag_.empty() || !modified_.empty(); }
  // The next answer is to be the whole document.
  void forget();

 private:
  hal::HttpRequest request();
  bool take(std::string_view piece);
  void finish(Result<hal::HttpAnswer> result);
  FetchReport judge(const Result<hal::HttpAnswer>& result);
  FetchReport judge_status(const hal::HttpAnswer& answer) const;
  FetchReport unreadable(const Error& error) const;
  void keep_validators(const hal::HttpAnswer& answer);

  hal::HttpClient& client_;
  const std::string url_;
  DocumentReader* reader_ = nullptr;
  Done done_;
  std::optional<hal::HttpRequestId> under_way_;
  std::optional<Error> reader_error_;
  std::size_t bytes_ = 0;
  bool was_conditional_ = false;
  std::string etag_, modified_;
};

}  // namespace berm::drivers::miv_feed
