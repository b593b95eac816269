// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/curl_transfer.hpp"

#include <algorithm>
#include <cctype>

#include "hal/base/text.hpp"
#include "hal/linux/curl_client.hpp"

namespace berm::hal {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// A connection that broke in the middle of the handshake says nothing about certificates.
bool is_broken_handshake(std::string_view text) {
  for (const std::string_view word : {"SSL_ERROR_SYSCALL", "unexpected eof", "reset by peer"}) {
    if (text.find(word) != text.npos) return true;
  }
  return false;
}

ErrorCode code_of(CURLcode code, std::string_view text) {
  if (code == CURLE_SSL_CONNECT_ERROR && is_broken_handshake(text)) return ErrorCode::closed;
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::timeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ErrorCode::invalid;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return ErrorCode::permission;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return ErrorCode::closed;
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
      return ErrorCode::damaged;
    default:
      return ErrorCode::unavailable;
  }
}

// The server's TLS alert that refuses our certificate, as OpenSSL names it; empty: none. With TLS
// 1.3 it comes after the handshake, so libcurl sees no more than a connection that broke.
std::string_view refusal_of_certificate(std::string_view text) {
  const std::size_t alert = text.find("alert ");
  if (alert == text.npos) return {};
  const std::string_view name = text.substr(alert, text.find(',', alert) - alert);
  for (const std::string_view word : {"certificate", "unknown ca", "handshake failure", "denied"}) {
    if (name.find(word) != name.npos) return name;
  }
  return {};
}

}  // namespace

CurlTransfer::CurlTransfer(HttpRequestId id, HttpRequest request, HttpClient::Done done)
    : id_(id), request_(std::move(request)), done_(std::move(done)) {}

Result<void> CurlTransfer::prepare() {
  BERM_CHECK(check());
  easy_.reset(curl_easy_init());
  if (!easy_) return fail(ErrorCode::unavailable, "HTTP: no memory");
  set_address();
  set_method();
  set_limits();
  set_tls();
  if (!set_headers()) return fail(ErrorCode::unavailable, "HTTP: no memory");
  return {};
}

Result<void> CurlTransfer::check() const {
  if (has_line_break(request_.url) || has_line_break(request_.method) || request_.method.empty()) {
    return fail(ErrorCode::invalid, "HTTP: a line break in method or URL");
  }
  for (const auto& [name, value] : request_.headers) {
    if (name.empty() || has_line_break(name) || has_line_break(value)) {
      return fail(ErrorCode::invalid, "HTTP: a line break in header " + name);
    }
  }
  if (request_.timeout <= Milliseconds{0}) return fail(ErrorCode::invalid, "HTTP: no timeout");
  return {};
}

void CurlTransfer::set_address() {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  // An empty name is "no proxy, whatever the environment says".
  curl_easy_setopt(easy, CURLOPT_PROXY, request_.proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (request_.user.empty() && request_.password.empty()) return;
  curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  curl_easy_setopt(easy, CURLOPT_USERNAME, request_.user.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, request_.password.c_str());
}

void CurlTransfer::set_method() {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  if (request_.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  const bool has_body =
      !request_.body.empty() || request_.method == "POST" || request_.method == "PUT";
  if (has_body) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void CurlTransfer::set_limits() {
  CURL* easy = easy_.get();
  const auto timeout_ms = static_cast<long>(request_.timeout.count());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, std::max(1L, timeout_ms / 3));
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  if (request_.accept_gzip) {
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    // What a read swells to is kept while the transfer is paused.
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kPackedReadBytes);
  }
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlTransfer::on_data);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
}

void CurlTransfer::set_tls() {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  const TlsOptions& tls = request_.tls;
  if (!tls.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // that file and nothing else
  }
  // Else libcurl keeps what it once read for a day; a renewed file counts from the next connection.
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  if (!tls.cert_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.cert_file.c_str());
  if (!tls.key_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.key_file.c_str());
  // A key with a pass phrase is refused instead of asking on the terminal.
  curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
}

bool CurlTransfer::has_header(std::string_view lower_case_name) const {
  return std::any_of(request_.headers.begin(), request_.headers.end(), [&](const auto& header) {
    return lower_case(header.first) == lower_case_name;
  });
}

bool CurlTransfer::set_headers() {
  std::vector<std::string> lines{"Expect:"};
  // libcurl would call any body a form.
  if (!has_header("content-type")) lines.emplace_back("Content-Type:");
  for (const auto& [name, value] : request_.headers) {
    // "Name;" is libcurl's way to say "with an empty value".
    lines.push_back(value.empty() ? name + ";" : name + ": " + value);
  }
  for (const auto& line : lines) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return false;
    static_cast<void>(headers_.release());
    headers_.reset(longer);
  }
  curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
  return true;
}

std::size_t CurlTransfer::on_header(char* text, std::size_t size, std::size_t count, void* self) {
  const std::size_t length = size * count;
  return static_cast<CurlTransfer*>(self)->take_header({text, length}) ? length : 0;
}

std::size_t CurlTransfer::on_data(char* bytes, std::size_t size, std::size_t count, void* self) {
  const std::size_t length = size * count;
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (transfer.has_had_its_turn(length)) return CURL_WRITEFUNC_PAUSE;
  return transfer.take_body({bytes, length}) ? length : length + 1;
}

bool CurlTransfer::has_had_its_turn(std::size_t bytes) {
  if (!request_.on_body || ended_ != Ended::no) return false;
  is_paused_ = taken_this_turn_ >= kBodyBytesPerTurn;
  if (!is_paused_) taken_this_turn_ += bytes;
  return is_paused_;
}

void CurlTransfer::resume() {
  is_paused_ = false;
  taken_this_turn_ = 0;
  curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
}

bool CurlTransfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) {
    ended_ = Ended::headers_full;
    return false;
  }
  if (line.starts_with("HTTP/")) {
    answer_.headers.clear();  // those before it were of a 1xx answer
    has_all_headers_ = false;
    return true;
  }
  const std::string_view text = trim(line);
  if (text.empty()) {
    has_all_headers_ = true;
    return true;
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return true;
  answer_.headers.emplace_back(lower_case(trim(text.substr(0, colon))),
                               std::string(trim(text.substr(colon + 1))));
  return true;
}

bool CurlTransfer::take_body(std::string_view piece) {
  if (ended_ != Ended::no) return false;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (request_.on_body && status >= 200 && status < 300) {
    const bool goes_on = request_.on_body(piece);
    if (!goes_on && ended_ == Ended::no) ended_ = Ended::refused;
    return ended_ == Ended::no;
  }
  if (answer_.body.size() + piece.size() > request_.max_body_bytes) {
    ended_ = Ended::body_full;
    return false;
  }
  answer_.body.append(piece);
  return true;
}

Result<HttpAnswer> CurlTransfer::conclude(CURLcode code) {
  if (code != CURLE_OK || ended_ != Ended::no) return fail(describe(code));
  if (!has_all_headers_) {
    return fail(ErrorCode::closed, "HTTP: the connection ended within the headers");
  }
  long status = 0;
  curl_off_t elapsed_us = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &elapsed_us);
  answer_.status = static_cast<int>(status);
  answer_.elapsed = Microseconds{elapsed_us};
  return std::move(answer_);
}

Error CurlTransfer::describe(CURLcode code) const {
  if (ended_ == Ended::body_full) {
    return Error{
        ErrorCode::full,
        "HTTP: the body is longer than " + std::to_string(request_.max_body_bytes) + " bytes", 0};
  }
  if (ended_ == Ended::headers_full) {
    return Error{ErrorCode::full, "HTTP: the headers are longer than 65536 bytes", 0};
  }
  if (ended_ == Ended::refused) {
    return Error{ErrorCode::closed, "HTTP: the reader of the body ended it", 0};
  }
  const char* text = error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
  if (const auto refusal = refusal_of_certificate(text); !refusal.empty()) {
    return Error{ErrorCode::permission,
                 "HTTP: the server refuses our certificate: TLS " + std::string(refusal),
                 static_cast<int>(code)};
  }
  return Error{code_of(code, text), std::string("HTTP: ") + text, static_cast<int>(code)};
}

}  // namespace berm::hal
