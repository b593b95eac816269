// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <optional>

#include "hal/linux/mqtt_client.hpp"
#include "tests/contract/network/linux_machine.hpp"

namespace berm::hal::contract {
namespace {

// A port that was free a moment ago: Mosquitto takes no port 0.
int free_port() {
  const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(probe.get(), raw, size) != 0 || ::getsockname(probe.get(), raw, &size) != 0) return 0;
  return ntohs(address.sin_port);
}

bool answers(int port) {
  const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::connect(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

std::string broker_program() {
  for (const char* path :
       {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return {};
}

class LinuxMqtt final : public MqttBench {
 public:
  LinuxMqtt() {
    const std::string program = broker_program();
    if (program.empty() || !make_certificates(folder_)) return;
    // A port may be taken between the probe and the broker's bind.
    for (int attempt = 0; attempt < 5 && !is_up_; ++attempt) start(program);
  }

  std::string missing() const override {
    return is_up_ ? "" : "mosquitto (or openssl) is not installed or did not start";
  }
  Loop& loop() override { return loop_; }
  bool run_until(const Condition& condition, Seconds limit) override {
    return run_epoll_until(loop_, condition, limit);
  }
  MqttClients& clients() override { return clients_; }
  MqttOptions options(const std::string& client_id) override {
    MqttOptions options;
    options.host = "127.0.0.1";
    options.port = port_;
    options.client_id = client_id;
    return options;
  }
  MqttOptions tls_options(const std::string& client_id) override {
    MqttOptions options = this->options(client_id);
    options.host = "localhost";
    options.port = tls_port_;
    options.tls = true;
    options.tls_options = {folder_.file("ca.pem"), folder_.file("client.pem"),
                           folder_.file("client.key")};
    return options;
  }
  MqttOptions distrusting_options(const std::string& client_id) override {
    MqttOptions options = tls_options(client_id);
    options.tls_options.ca_file = folder_.file("stranger.pem");
    return options;
  }
  MqttOptions wrong_name_options(const std::string& client_id) override {
    MqttOptions options = tls_options(client_id);
    options.port = elsewhere_port_;
    return options;
  }
  void freeze() override { broker_->signal(SIGSTOP); }
  void thaw() override { broker_->signal(SIGCONT); }
  void kill() override { broker_->kill(); }

 private:
  void start(const std::string& program) {
    port_ = free_port();
    tls_port_ = free_port();
    elsewhere_port_ = free_port();
    const auto tls = [&](int port, const std::string& name) {
      return "listener " + std::to_string(port) + " 127.0.0.1\ncafile " + folder_.file("ca.pem") +
             "\ncertfile " + folder_.file(name + ".pem") + "\nkeyfile " +
             folder_.file(name + ".key") + "\nrequire_certificate true\n";
    };
    std::ofstream(folder_.file("acl")) << "topic readwrite #\ntopic deny denied/#\n";
    std::ofstream(folder_.file("broker.conf"))
        << "log_type none\nallow_anonymous true\nacl_file " << folder_.file("acl") << "\nlistener "
        << port_ << " 127.0.0.1\n"
        << tls(tls_port_, "server") << tls(elsewhere_port_, "elsewhere");
    if (::geteuid() == 0) {
      // Mosquitto started as root becomes `user`; the folder and its keys must be readable for it.
      std::ofstream(folder_.file("broker.conf"), std::ios::app) << "user root\n";
    }
    broker_.emplace(std::vector<std::string>{program, "-c", folder_.file("broker.conf")});
    is_up_ = run_epoll_until(
        loop_, [&] { return answers(port_) && answers(tls_port_) && answers(elsewhere_port_); },
        Seconds{5});
  }

  TemporaryFolder folder_;
  EpollLoop loop_;
  MosquittoClients clients_{loop_};
  std::optional<Child> broker_;
  int port_ = 0;
  int tls_port_ = 0;
  int elsewhere_port_ = 0;
  bool is_up_ = false;
};

}  // namespace

std::unique_ptr<MqttBench> make_linux_mqtt() {
  return std::make_unique<LinuxMqtt>();
}

}  // namespace berm::hal::contract
