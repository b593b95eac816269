// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/http_client.hpp"

#include <algorithm>
#include <optional>

namespace berm::hal {
namespace {

constexpr std::size_t kPiece = 16384;
constexpr std::size_t kLineBytes = 64;  // request or status line and what goes with it

struct Target {
  std::string host;  // "name:port"
  bool tls = false;
};

std::optional<Target> target_of(std::string_view url) {
  Target target;
  target.tls = url.starts_with("https://");
  if (!target.tls && !url.starts_with("http://")) return std::nullopt;
  url.remove_prefix(target.tls ? 8 : 7);
  url = url.substr(0, url.find_first_of("/?#"));
  if (url.empty()) return std::nullopt;
  target.host = url;
  if (url.find(':') == std::string_view::npos) target.host += target.tls ? ":443" : ":80";
  return target;
}

template <class Headers>
std::size_t bytes_of(const Headers& headers, const std::string& body) {
  std::size_t bytes = kLineBytes + body.size();
  for (const auto& [name, value] : headers) bytes += name.size() + value.size() + 4;
  return bytes;
}

bool has_line_break(const std::string& text) {
  return text.find_first_of("\r\n") != std::string::npos;
}

void answer(SimNetwork& network, const std::shared_ptr<SimConnection>& connection,
            SimHttpReply reply) {
  if (reply.ending == SimHttpReply::Ending::silent) return;
  const Microseconds delay = reply.delay;
  network.loop().after(delay, [weak = std::weak_ptr(connection), reply = std::move(reply)] {
    const auto open = weak.lock();
    if (!open) return;
    if (reply.ending != SimHttpReply::Ending::none) {
      open->send(SimEnd::host, bytes_of(reply.answer.headers, reply.answer.body), reply);
    }
    const bool is_last =
        reply.ending != SimHttpReply::Ending::whole || reply.answer.header("connection") == "close";
    if (is_last) open->close(SimEnd::host);
  });
}

}  // namespace

void serve_http(SimNetwork& network, const std::string& host, SimHttpServer server) {
  network.listen(host, [&network, server](const std::shared_ptr<SimConnection>& connection) {
    // The receiver keeps its own connection: the host holds its end open until somebody ends it.
    connection->set_end(
        SimEnd::host,
        [&network, server, connection](std::any& content) {
          const auto* request = std::any_cast<HttpRequest>(&content);
          if (request != nullptr) answer(network, connection, server(*request));
        },
        [connection] { connection->close(SimEnd::host); });
  });
}

struct SimHttpClient::Exchange {
  explicit Exchange(Loop& loop) : whole(loop), connecting(loop) {}
  HttpRequest request;
  Done done;
  Target target;
  MonoTime began{};
  Timer whole;
  Timer connecting;
  std::shared_ptr<SimNetwork::Attempt> attempt;
  Connection connection;
};

SimHttpClient::SimHttpClient(SimNetwork& network) : network_(network), loop_(network.loop()) {}

SimHttpClient::~SimHttpClient() {
  *is_alive_ = false;
  for (auto& [id, exchange] : exchanges_) {
    if (exchange->connection) exchange->connection->close(SimEnd::agent);
  }
  for (auto& [host, connections] : idle_) {
    for (auto& connection : connections) connection->close(SimEnd::agent);
  }
}

HttpRequestId SimHttpClient::send(HttpRequest request, Done done) {
  const HttpRequestId id = ++last_id_;
  ++requests_;
  const bool is_full = exchanges_.size() >= kMaxSimHttpRequests;
  auto& exchange = *exchanges_.emplace(id, std::make_unique<Exchange>(loop_)).first->second;
  exchange.began = loop_.now();
  exchange.done = std::move(done);
  const auto target = target_of(request.proxy.empty() ? request.url : request.proxy);
  bool is_valid = target.has_value() && !has_line_break(request.url) && !request.method.empty() &&
                  request.timeout > Milliseconds{0};
  for (const auto& [name, value] : request.headers) {
    is_valid = is_valid && !has_line_break(name) && !has_line_break(value);
  }
  exchange.request = std::move(request);
  if (is_full || !is_valid) {
    Error error = is_full ? Error{ErrorCode::full, "HTTP: too many requests at a time", 0}
                          : Error{ErrorCode::invalid, "HTTP: not a request", 0};
    exchange.whole.after(Microseconds{0},
                         [this, id, error = std::move(error)] { finish(id, fail(error)); });
    return id;
  }
  exchange.target = *target;
  exchange.whole.after(exchange.request.timeout, [this, id] {
    finish(id, fail(ErrorCode::timeout, "HTTP: no answer in time"));
  });
  start(id);
  return id;
}

void SimHttpClient::start(HttpRequestId id) {
  Exchange& exchange = *exchanges_.at(id);
  auto& kept = idle_[exchange.target.host];
  std::erase_if(kept, [](const Connection& one) { return !one->is_open(SimEnd::agent); });
  if (!kept.empty()) {
    const Connection connection = kept.back();
    kept.pop_back();
    use(id, connection);
    return;
  }
  exchange.connecting.after(Microseconds{exchange.request.timeout} / 3, [this, id] {
    finish(id, fail(ErrorCode::timeout, "HTTP: no connection in time"));
  });
  exchange.attempt = network_.connect(exchange.target.host, exchange.target.tls,
                                      [this, id](Result<Connection> connected) {
                                        if (connected) {
                                          use(id, std::move(*connected));
                                        } else {
                                          finish(id, fail(std::move(connected.error())));
                                        }
                                      });
}

void SimHttpClient::use(HttpRequestId id, Connection connection) {
  Exchange& exchange = *exchanges_.at(id);
  exchange.connecting.cancel();
  exchange.connection = connection;
  connection->set_end(
      SimEnd::agent,
      [this, id](std::any& content) {
        auto* reply = std::any_cast<SimHttpReply>(&content);
        if (reply != nullptr) take(id, std::move(*reply));
      },
      [this, id] { finish(id, fail(ErrorCode::closed, "HTTP: the server ended the connection")); });
  const std::size_t bytes = bytes_of(exchange.request.headers, exchange.request.body);
  bytes_sent_ += static_cast<std::int64_t>(bytes);
  HttpRequest sent = exchange.request;
  sent.on_body = nullptr;
  connection->send(SimEnd::agent, bytes, std::move(sent));
}

void SimHttpClient::take(HttpRequestId id, SimHttpReply reply) {
  const std::size_t bytes = bytes_of(reply.answer.headers, reply.answer.body);
  bytes_received_ += static_cast<std::int64_t>(bytes);
  if (reply.ending == SimHttpReply::Ending::half) {
    finish(id, fail(ErrorCode::closed, "HTTP: the answer ended in the middle"));
    return;
  }
  const std::weak_ptr<bool> alive = is_alive_;
  const bool may_keep = reply.answer.header("connection") != "close";
  auto result = read(id, std::move(reply), alive);
  if (alive.expired() || !exchanges_.contains(id)) return;  // ended by its own reader
  Exchange& exchange = *exchanges_.at(id);
  if (may_keep && result) keep(exchange.target.host, std::exchange(exchange.connection, nullptr));
  finish(id, std::move(result));
}

Result<HttpAnswer> SimHttpClient::read(HttpRequestId id, SimHttpReply reply,
                                       const std::weak_ptr<bool>& alive) {
  const HttpRequest request = exchanges_.at(id)->request;
  HttpAnswer answer = std::move(reply.answer);
  answer.elapsed = loop_.now() - exchanges_.at(id)->began;
  const bool is_read_in_pieces = request.on_body && answer.status >= 200 && answer.status < 300;
  if (!is_read_in_pieces) {
    if (answer.body.size() > request.max_body_bytes) {
      return fail(ErrorCode::full, "HTTP: the body is too long");
    }
    return answer;
  }
  for (std::size_t at = 0; at < answer.body.size(); at += kPiece) {
    const bool goes_on = request.on_body(std::string_view(answer.body).substr(at, kPiece));
    if (alive.expired() || !exchanges_.contains(id)) return fail(ErrorCode::closed, "cancelled");
    if (!goes_on) return fail(ErrorCode::closed, "HTTP: the reader of the body ended it");
  }
  answer.body.clear();
  return answer;
}

void SimHttpClient::keep(const std::string& host, const Connection& connection) {
  auto& kept = idle_[host];
  if (kept.size() >= kMaxSimIdleConnections) {
    connection->close(SimEnd::agent);
    return;
  }
  connection->set_end(SimEnd::agent, nullptr, nullptr);
  kept.push_back(connection);
}

void SimHttpClient::finish(HttpRequestId id, Result<HttpAnswer> result) {
  auto node = exchanges_.extract(id);
  if (node.empty()) return;
  const auto exchange = std::move(node.mapped());
  if (exchange->connection) exchange->connection->close(SimEnd::agent);
  const auto done = std::move(exchange->done);
  if (done) done(std::move(result));
}

void SimHttpClient::cancel(HttpRequestId id) {
  const auto node = exchanges_.extract(id);
  if (node.empty()) return;
  if (node.mapped()->connection) node.mapped()->connection->close(SimEnd::agent);
}

Status SimHttpClient::status() const {
  std::size_t open = 0;
  for (const auto& [host, connections] : idle_) {
    open += static_cast<std::size_t>(
        std::count_if(connections.begin(), connections.end(),
                      [](const Connection& one) { return one->is_open(SimEnd::agent); }));
  }
  for (const auto& [id, exchange] : exchanges_) open += exchange->connection ? 1U : 0U;
  Status status("http");
  status.set("bytes_sent", bytes_sent_);
  status.set("bytes_received", bytes_received_);
  status.set("requests", requests_);
  status.set("open_connections", open);
  return status;
}

}  // namespace berm::hal
