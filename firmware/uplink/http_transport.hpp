// SPDX-License-Identifier: Apache-2.0
// HttpTransport: batches to a Flume HTTP source, one request at a time, so that they arrive in
// order. Used by a Forwarder. Every answer is read by read_flume_answer(); no answer at all
// (refused, TLS, name not found, half an answer) is `failed`, and one that did not come within the
// timeout says so: on a thin link the next batch is smaller. `Content-Type: application/json;
// charset=utf-8` always: under any other type Flume reads Latin-1 and answers 200. Never compressed
// (Flume: 400). Redirects are never followed. Limits: one batch in flight; an answer of more than
// kMaxAnswerBytes is a failure. Loop thread; `client` outlives it. Destruction and close() cancel
// what is under way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firmware/codec/event_headers.hpp"
#include "firmware/uplink/uplink.hpp"
#include "hal/http_client.hpp"

namespace berm::uplink {

struct HttpTransportOptions {
  std::string url;
  codec::EventHeaders headers;
  std::vector<std::pair<std::string, std::string>> extra_headers;  // from the configuration
  Milliseconds timeout{30'000};
  hal::TlsOptions tls;
  std::string user, password;
  std::string proxy;
  std::size_t max_events = 1000;
  std::size_t max_bytes = 1u << 20;  // of lines per batch
};

class HttpTransport final : public Transport {
 public:
  HttpTransport(HttpTransportOptions options, hal::Loop& loop, hal::HttpClient& client);
  ~HttpTransport() override;
  Limits limits() const override;
  std::string fault_of(const event::Event& event) const override;
  void open(Events events) override;
  bool is_ready() const override { return is_open_; }
  void send(const std::vector<Outgoing>& batch, std::function<void(Answer)> done) override;
  void close() override;
  Status status() const override;
  // An empty batch, which Flume takes and does nothing with.
  void probe(std::function<void(Answer)> done) override;

 private:
  hal::HttpRequest request_for(const std::vector<Outgoing>& batch) const;
  Answer read(const Result<hal::HttpAnswer>& answer, std::size_t events, MonoTime sent) const;

  const HttpTransportOptions options_;
  hal::Loop& loop_;
  hal::HttpClient& client_;
  bool is_open_ = false;
  bool is_sending_ = false;
  hal::HttpRequestId request_ = 0;
};

}  // namespace berm::uplink
