// SPDX-License-Identifier: Apache-2.0
// CurlTransfer: one request of the CurlClient: its easy handle, what was asked and what has come so
// far. Private to curl_*.cpp. Loop thread; the easy handle is out of the multi handle before this
// dies.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "hal/base/result.hpp"
#include "hal/http_client.hpp"

namespace berm::hal {

class CurlTransfer {
 public:
  CurlTransfer(HttpRequestId id, HttpRequest request, HttpClient::Done done);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;
  ~CurlTransfer() = default;

  // Makes the easy handle. Error: nothing can be sent.
  Result<void> prepare();
  // What it has come to, once libcurl is through with it (or `prepare` failed).
  Result<HttpAnswer> conclude(CURLcode code);

  HttpRequestId id() const { return id_; }
  CURL* easy() const { return easy_.get(); }
  HttpClient::Done take_done() { return std::move(done_); }
  void mark_cancelled() { ended_ = Ended::cancelled; }
  bool is_cancelled() const { return ended_ == Ended::cancelled; }
  // After kBodyBytesPerTurn handed over by `on_body` it takes no more before `resume`, so that a
  // fast site leaves the loop its turns. `resume` calls back at once.
  bool is_paused() const { return is_paused_; }
  void resume();

 private:
  enum class Ended { no, cancelled, body_full, headers_full, refused };
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static std::size_t on_header(char* text, std::size_t size, std::size_t count, void* self);
  static std::size_t on_data(char* bytes, std::size_t size, std::size_t count, void* self);
  bool take_header(std::string_view line);
  bool has_had_its_turn(std::size_t bytes);
  bool take_body(std::string_view piece);
  Result<void> check() const;
  void set_address();
  void set_method();
  void set_limits();
  void set_tls();
  bool set_headers();
  bool has_header(std::string_view lower_case_name) const;
  Error describe(CURLcode code) const;

  const HttpRequestId id_;
  const HttpRequest request_;
  HttpClient::Done done_;
  HttpAnswer answer_;
  std::size_t header_bytes_ = 0;
  bool has_all_headers_ = false;
  std::size_t taken_this_turn_ = 0;
  bool is_paused_ = false;
  Ended ended_ = Ended::no;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<CURL, FreeEasy> easy_;  // last: ends before what it points to
};

}  // namespace berm::hal
