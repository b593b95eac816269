// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/http_transport.hpp"

#include "firmware/codec/flume_batch.hpp"
#include "firmware/uplink/flume_answer.hpp"
#include "firmware/uplink/limits.hpp"
#include "hal/base/assert.hpp"

namespace berm::uplink {

HttpTransport::HttpTransport(HttpTransportOptions options, hal::Loop& loop, hal::HttpClient& client)
    : options_(std::move(options)), loop_(loop), client_(client) {
  BERM_ASSERT(options_.max_events > 0);
}

HttpTransport::~HttpTransport() {
  close();
}

Transport::Limits HttpTransport::limits() const {
  return {.max_in_flight = 1,
          .max_events = options_.max_events,
          .max_bytes = options_.max_bytes,
          .one_stream = false};
}

std::string HttpTransport::fault_of(const event::Event& event) const {
  return options_.headers.fault_of(event);
}

void HttpTransport::open(Events) {
  is_open_ = true;
}

void HttpTransport::send(const std::vector<Outgoing>& batch, std::function<void(Answer)> done) {
  BERM_ASSERT(is_open_ && !is_sending_ && !batch.empty());
  is_sending_ = true;
  const MonoTime sent = loop_.now();
  request_ =
      client_.send(request_for(batch), [this, events = batch.size(), sent, done = std::move(done)](
                                           const Result<hal::HttpAnswer>& answer) {
        is_sending_ = false;
        done(read(answer, events, sent));
      });
}

hal::HttpRequest HttpTransport::request_for(const std::vector<Outgoing>& batch) const {
  hal::HttpRequest request;
  request.method = "POST";
  request.url = options_.url;
  request.headers = options_.extra_headers;
  request.headers.emplace_back("Content-Type", codec::kFlumeContentType);
  codec::append_flume_batch(batch, options_.headers, request.body);
  request.timeout = options_.timeout;
  request.max_body_bytes = kMaxAnswerBytes;
  request.user = options_.user;
  request.password = options_.password;
  request.proxy = options_.proxy;
  request.tls = options_.tls;
  return request;
}

void HttpTransport::probe(std::function<void(Answer)> done) {
  BERM_ASSERT(!is_sending_);
  is_sending_ = true;
  const MonoTime sent = loop_.now();
  request_ = client_.send(
      request_for({}), [this, sent, done = std::move(done)](const Result<hal::HttpAnswer>& answer) {
        is_sending_ = false;
        done(read(answer, 0, sent));
      });
}

Answer HttpTransport::read(const Result<hal::HttpAnswer>& answer, std::size_t events,
                           MonoTime sent) const {
  if (answer) return read_flume_answer(*answer, events);
  Answer failed{Verdict::failed, answer.error().text};
  if (answer.error().code == ErrorCode::permission) failed.trouble = Trouble::certificate;
  // A connection that cannot be made gives up after a third of the time: then size was not the
  // reason.
  failed.timed_out =
      answer.error().code == ErrorCode::timeout && loop_.now() - sent >= options_.timeout * 9 / 10;
  return failed;
}

void HttpTransport::close() {
  is_open_ = false;
  if (is_sending_) client_.cancel(request_);
  is_sending_ = false;
}

Status HttpTransport::status() const {
  Status status("transport");
  status.set("kind", "http").set("endpoint", options_.url);
  return status;
}

}  // namespace berm::uplink
