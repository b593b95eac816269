// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/document_fetch.hpp"

#include <algorithm>
#include <utility>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::drivers::miv_feed {
namespace {

constexpr int kOk = 200;
constexpr int kNotModified = 304;
constexpr std::size_t kMaxShown = 200;  // of a server's words

std::string shortened(std::string_view text) {
  return std::string(text.substr(0, kMaxShown));
}

std::optional<Seconds> retry_after(const hal::HttpAnswer& answer) {
  const auto seconds = parse_integer(trim(answer.header("retry-after")));
  if (!seconds || *seconds < 0) return std::nullopt;
  return Seconds{std::min(*seconds, kMaxRetryAfterS)};
}

}  // namespace

DocumentFetch::DocumentFetch(hal::HttpClient& client, std::string url)
    : client_(client), url_(std::move(url)) {}

void DocumentFetch::begin(DocumentReader& reader, Done done) {
  BERM_ASSERT(!under_way_);
  reader_ = &reader;
  done_ = std::move(done);
  reader_error_.reset();
  bytes_ = 0;
  was_conditional_ = is_conditional();
  under_way_ = client_.send(request(),
                            [this](Result<hal::HttpAnswer> result) { finish(std::move(result)); });
}

hal::HttpRequest DocumentFetch::request() {
  hal::HttpRequest request;
  request.url = url_;
  request.headers.emplace_back("Accept", "application/xml, text/xml");
  if (!etag_.empty()) request.headers.emplace_back("If-None-Match", etag_);
  if (!modified_.empty()) request.headers.emplace_back("If-Modified-Since", modified_);
  request.timeout = kRequestTimeout;
  request.accept_gzip = true;
  request.on_body = [this](std::string_view piece) { return take(piece); };
  return request;
}

void DocumentFetch::cancel() {
  if (under_way_) client_.cancel(*std::exchange(under_way_, std::nullopt));
}

void DocumentFetch::forget() {
  etag_.clear();
  modified_.clear();
}

bool DocumentFetch::take(std::string_view piece) {
  if (reader_error_) return false;
  bytes_ += piece.size();
  auto read = reader_->feed(piece);
  if (!read) reader_error_ = std::move(read.error());
  return !reader_error_;
}

void DocumentFetch::finish(Result<hal::HttpAnswer> result) {
  under_way_.reset();
  const FetchReport report = judge(result);
  const Done done = std::move(done_);
  done(report);
}

FetchReport DocumentFetch::judge(const Result<hal::HttpAnswer>& result) {
  if (reader_error_) {
    forget();
    return unreadable(*reader_error_);
  }
  if (!result) {
    const Error& error = result.error();
    if (bytes_ == 0) return {FetchEnd::down, std::string(name_of(error.code)), error.text, {}};
    forget();
    return {FetchEnd::invalid,
            "cut",
            "the document ended after " + std::to_string(bytes_) + " bytes: " + error.text,
            {}};
  }
  if (result->status != kOk) return judge_status(*result);
  if (auto ended = reader_->finish(); !ended) {
    forget();
    return unreadable(ended.error());
  }
  keep_validators(*result);
  return {FetchEnd::read, {}, {}, {}};
}

FetchReport DocumentFetch::judge_status(const hal::HttpAnswer& answer) const {
  const std::string status = std::to_string(answer.status);
  if (answer.status == kNotModified && was_conditional_) return {FetchEnd::unchanged, {}, {}, {}};
  if (answer.status >= 200 && answer.status < 300) {
    return {FetchEnd::invalid,
            "http_" + status,
            "the site answers " + status + " where 200 is expected",
            {}};
  }
  if (answer.status >= 300 && answer.status < 400) {
    return {FetchEnd::down,
            "redirect",
            "the site answers " + status + " and points to \"" +
                shortened(answer.header("location")) +
                "\"; redirects are not followed, set the new address in the configuration",
            {}};
  }
  return {FetchEnd::down, "http_" + status, "the site answers " + status, retry_after(answer)};
}

FetchReport DocumentFetch::unreadable(const Error& error) const {
  const char* reason = error.code == ErrorCode::closed ? "cut"
                       : error.code == ErrorCode::full ? "too_long"
                                                       : "not_the_document";
  if (bytes_ == 0) reason = "empty";
  return {FetchEnd::invalid, reason, shortened(error.text), {}};
}

void DocumentFetch::keep_validators(const hal::HttpAnswer& answer) {
  const auto kept = [&](std::string_view name) {
    const std::string_view value = answer.header(name);
    return value.size() <= kMaxValidatorBytes ? std::string(value) : std::string();
  };
  etag_ = kept("etag");
  modified_ = kept("last-modified");
}

}  // namespace berm::drivers::miv_feed
