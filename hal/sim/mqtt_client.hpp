// SPDX-License-Identifier: Apache-2.0
// SimMqttClients: the MqttClients of the simulator, over SimNetwork to a SimBroker. Behaves as the
// Linux client: no reconnect of its own, a window, keepalive with pings (a broker that is silent
// for two keepalives is `timeout`), a refused CONNACK closes, events on the loop and never inside a
// call. Thread: the loop's. Lifetime: network > clients > client. Fails: see hal/mqtt_client.hpp.
#pragma once

#include <memory>

#include "hal/mqtt_client.hpp"
#include "hal/sim/network.hpp"

namespace berm::hal {

inline constexpr int kMaxSimMqttWindow = 100;
inline constexpr int kMinSimMqttKeepaliveS = 5;
inline constexpr int kMaxSimMqttKeepaliveS = 65535;

class SimMqttClients final : public MqttClients {
 public:
  explicit SimMqttClients(SimNetwork& network) : network_(network) {}
  Result<std::unique_ptr<MqttClient>> create(MqttOptions options, MqttEvents events) override;

 private:
  SimNetwork& network_;
};

}  // namespace berm::hal
