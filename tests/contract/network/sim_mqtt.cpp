// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/loop.hpp"
#include "hal/sim/mqtt_broker.hpp"
#include "hal/sim/mqtt_client.hpp"
#include "tests/contract/network/bench.hpp"

namespace berm::hal::contract {
namespace {

constexpr int kMqttNotAuthorized = 135;

class SimMqtt final : public MqttBench {
 public:
  SimMqtt() {
    broker_.set_judge([](const std::string&, const MqttMessage& message) {
      return message.topic.starts_with("denied/") ? kMqttNotAuthorized : -1;
    });
  }
  std::string missing() const override { return {}; }
  Loop& loop() override { return loop_; }
  bool run_until(const Condition& condition, Seconds limit) override {
    const MonoTime give_up_at = loop_.now() + limit;
    while (!condition() && loop_.now() < give_up_at && loop_.step()) {
    }
    return condition();
  }
  MqttClients& clients() override { return clients_; }
  MqttOptions options(const std::string& client_id) override {
    MqttOptions options;
    options.host = "broker";
    options.client_id = client_id;
    return options;
  }
  MqttOptions tls_options(const std::string& client_id) override {
    MqttOptions options = this->options(client_id);
    options.tls = true;
    return options;
  }
  MqttOptions distrusting_options(const std::string& client_id) override {
    network_.set_link("broker:1883", {.is_untrusted = true});
    return tls_options(client_id);
  }
  MqttOptions wrong_name_options(const std::string& client_id) override {
    return distrusting_options(client_id);
  }
  void freeze() override { broker_.freeze(); }
  void thaw() override { broker_.thaw(); }
  void kill() override { broker_.kill(); }

 private:
  SimLoop loop_;
  SimNetwork network_{loop_};
  SimBroker broker_{network_, "broker:1883"};
  SimMqttClients clients_{network_};
};

}  // namespace

std::unique_ptr<MqttBench> make_sim_mqtt() {
  return std::make_unique<SimMqtt>();
}

}  // namespace berm::hal::contract
