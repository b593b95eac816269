// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include "hal/linux/curl_client.hpp"
#include "tests/contract/network/linux_machine.hpp"

namespace berm::hal::contract {
namespace {

std::string port_of(Child& server) {
  const std::string line = server.first_line();
  return line.starts_with("port ") ? line.substr(5) : std::string();
}

class LinuxHttp final : public HttpBench {
 public:
  LinuxHttp() {
    if (!make_certificates(folder_)) return;
    const std::string script = source_file("http_server.py");
    plain_.emplace(std::vector<std::string>{"python3", script});
    tls_.emplace(std::vector<std::string>{"python3", script, folder_.file("server.pem"),
                                          folder_.file("server.key"), folder_.file("ca.pem")});
    elsewhere_.emplace(std::vector<std::string>{"python3", script, folder_.file("elsewhere.pem"),
                                                folder_.file("elsewhere.key")});
    plain_port_ = port_of(*plain_);
    tls_port_ = port_of(*tls_);
    elsewhere_port_ = port_of(*elsewhere_);
    // Bound, not listening: nobody else gets the port, and it refuses.
    refusing_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(refusing_.get(), raw, size) == 0) ::getsockname(refusing_.get(), raw, &size);
    refusing_port_ = ntohs(address.sin_port);
  }

  std::string missing() const override {
    if (tls_port_.empty() || plain_port_.empty() || elsewhere_port_.empty()) {
      return "python3 with ssl or openssl is not installed";
    }
    return {};
  }
  Loop& loop() override { return loop_; }
  bool run_until(const Condition& condition, Seconds limit) override {
    return run_epoll_until(loop_, condition, limit);
  }
  std::unique_ptr<HttpClient> make_client() override {
    auto client = make_curl_client(loop_);
    return client ? std::move(*client) : nullptr;
  }
  std::string url(const std::string& path) override {
    return "http://127.0.0.1:" + plain_port_ + path;
  }
  std::string tls_url(const std::string& path) override {
    return "https://localhost:" + tls_port_ + path;
  }
  std::string wrong_name_url(const std::string& path) override {
    return "https://localhost:" + elsewhere_port_ + path;
  }
  std::string refusing_url() override {
    return "http://127.0.0.1:" + std::to_string(refusing_port_) + "/ok";
  }
  TlsOptions trusting() override {
    return {folder_.file("ca.pem"), folder_.file("client.pem"), folder_.file("client.key")};
  }
  TlsOptions distrusting() override { return {folder_.file("stranger.pem"), "", ""}; }
  int connections() override { return count("connection"); }
  int requests(const std::string& path) override {
    return count("request GET " + path) + count("request POST " + path);
  }

 private:
  int count(const std::string& line) {
    const auto& lines = plain_->lines();
    return static_cast<int>(std::count(lines.begin(), lines.end(), line));
  }

  TemporaryFolder folder_;
  EpollLoop loop_;
  std::optional<Child> plain_;
  std::optional<Child> tls_;
  std::optional<Child> elsewhere_;
  std::string plain_port_;
  std::string tls_port_;
  std::string elsewhere_port_;
  UniqueFd refusing_;
  int refusing_port_ = 0;
};

}  // namespace

std::unique_ptr<HttpBench> make_linux_http() {
  return std::make_unique<LinuxHttp>();
}

}  // namespace berm::hal::contract
