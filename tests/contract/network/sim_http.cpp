// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "hal/sim/http_client.hpp"
#include "hal/sim/loop.hpp"
#include "tests/contract/network/bench.hpp"

namespace berm::hal::contract {
namespace {

SimHttpReply reply_of(int status, std::string body = {},
                      std::vector<std::pair<std::string, std::string>> headers = {}) {
  SimHttpReply reply;
  reply.answer.status = status;
  reply.answer.body = std::move(body);
  reply.answer.headers = std::move(headers);
  return reply;
}

SimHttpReply ending(SimHttpReply::Ending how) {
  SimHttpReply reply = reply_of(200, "ten bytes!");
  reply.ending = how;
  return reply;
}

SimHttpReply echo(const HttpRequest& request) {
  std::string type = "-";
  std::string expect = "-";
  for (const auto& [name, value] : request.headers) {
    if (name == "Content-Type") type = value;
    if (name == "Expect") expect = value;
  }
  return reply_of(200, request.method + "|" + type + "|" + expect + "|" + request.body,
                  {{"x-answer", "Yes"}});
}

class SimHttp final : public HttpBench {
 public:
  SimHttp() {
    for (const char* host : {"server:80", "server:443", "elsewhere:443"}) {
      serve_http(network_, host, [this](const HttpRequest& request) { return serve(request); });
    }
    network_.set_link("elsewhere:443", {.is_untrusted = true});
  }
  std::string missing() const override { return {}; }
  Loop& loop() override { return loop_; }
  bool run_until(const Condition& condition, Seconds limit) override {
    const MonoTime give_up_at = loop_.now() + limit;
    while (!condition() && loop_.now() < give_up_at && loop_.step()) {
    }
    return condition();
  }
  std::unique_ptr<HttpClient> make_client() override {
    return std::make_unique<SimHttpClient>(network_);
  }
  std::string url(const std::string& path) override { return "http://server" + path; }
  std::string tls_url(const std::string& path) override { return "https://server" + path; }
  std::string wrong_name_url(const std::string& path) override {
    return "https://elsewhere" + path;
  }
  std::string refusing_url() override { return "http://server:81/ok"; }
  TlsOptions trusting() override { return {}; }
  TlsOptions distrusting() override {
    network_.set_link("server:443", {.is_untrusted = true});
    return {};
  }
  int connections() override { return static_cast<int>(network_.connections_made()); }
  int requests(const std::string& path) override { return requests_[path]; }

 private:
  SimHttpReply serve(const HttpRequest& request) {
    const std::string path = request.url.substr(request.url.find('/', 8));
    ++requests_[path];
    if (path == "/ok") return reply_of(200);
    if (path == "/echo") return echo(request);
    if (path == "/moved") return reply_of(301, "", {{"location", "/ok"}});
    if (path == "/busy") return reply_of(503, "<html>full</html>", {{"retry-after", "7"}});
    if (path == "/big") return reply_of(200, std::string(1'000'000, 'x'));
    if (path == "/thousand") return reply_of(200, std::string(1000, 'y'));
    if (path.starts_with("/half")) return ending(SimHttpReply::Ending::half);
    if (path == "/nothing") return ending(SimHttpReply::Ending::silent);
    return ending(SimHttpReply::Ending::none);
  }

  SimLoop loop_;
  SimNetwork network_{loop_};
  std::map<std::string, int> requests_;
};

}  // namespace

std::unique_ptr<HttpBench> make_sim_http() {
  return std::make_unique<SimHttp>();
}

}  // namespace berm::hal::contract
