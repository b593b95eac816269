// SPDX-License-Identifier: Apache-2.0
// SimHttpClient: the HttpClient of the simulator, over SimNetwork; and the server's side of it.
//
// Promises, as of the Linux client: keep-alive (at most kMaxSimIdleConnections a host), connecting
// takes at most a third of `timeout`, redirects are not followed, `on_body` gets the body of 2xx
// answers only (in pieces of 16 kB), limits end in `full`, an answer cut short is `closed`. A
// server takes a request when it has arrived whole, also if its sender is gone by then. Thread: the
// loop's. Lifetime: network > client. Fails: see hal/http_client.hpp.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hal/http_client.hpp"
#include "hal/sim/network.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxSimHttpRequests = 64;
inline constexpr std::size_t kMaxSimIdleConnections = 8;

struct SimHttpReply {
  enum class Ending : std::uint8_t {
    whole,
    half,    // the connection ends in the middle of the answer
    none,    // the request is taken, the connection ends without an answer
    silent,  // the request is taken, nothing ever comes
  };
  HttpAnswer answer;
  Microseconds delay{0};  // the server's own time
  Ending ending = Ending::whole;
};

// Called when the request has arrived; its url is as the client gave it.
using SimHttpServer = std::function<SimHttpReply(const HttpRequest&)>;

// The server lives until network.stop_listening(host), its connections as long as the network.
void serve_http(SimNetwork& network, const std::string& host, SimHttpServer server);

class SimHttpClient final : public HttpClient {
 public:
  explicit SimHttpClient(SimNetwork& network);
  SimHttpClient(const SimHttpClient&) = delete;
  SimHttpClient& operator=(const SimHttpClient&) = delete;
  ~SimHttpClient() override;

  HttpRequestId send(HttpRequest request, Done done) override;
  void cancel(HttpRequestId id) override;
  Status status() const override;

 private:
  struct Exchange;
  using Connection = std::shared_ptr<SimConnection>;

  void start(HttpRequestId id);
  void use(HttpRequestId id, Connection connection);
  void take(HttpRequestId id, SimHttpReply reply);
  Result<HttpAnswer> read(HttpRequestId id, SimHttpReply reply, const std::weak_ptr<bool>& alive);
  void keep(const std::string& host, const Connection& connection);
  void finish(HttpRequestId id, Result<HttpAnswer> result);

  SimNetwork& network_;
  Loop& loop_;
  HttpRequestId last_id_ = 0;
  std::map<HttpRequestId, std::unique_ptr<Exchange>> exchanges_;
  std::map<std::string, std::vector<Connection>> idle_;
  std::int64_t bytes_sent_ = 0;
  std::int64_t bytes_received_ = 0;
  std::uint64_t requests_ = 0;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace berm::hal
