// SPDX-License-Identifier: Apache-2.0
// What the network contracts run on: a backend's clients and loop, and servers that behave alike on
// each. Linux: real sockets on loopback, a Python server, Mosquitto. Sim: SimNetwork in virtual
// time.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "hal/base/time.hpp"
#include "hal/http_client.hpp"
#include "hal/loop.hpp"
#include "hal/mqtt_client.hpp"

namespace berm::hal::contract {

using Condition = std::function<bool()>;

class Bench {
 public:
  virtual ~Bench() = default;
  // Empty: it can run; else why not.
  virtual std::string missing() const = 0;
  virtual Loop& loop() = 0;
  // Runs the loop until the condition holds, at most `limit` (of the loop's own time).
  virtual bool run_until(const Condition& condition, Seconds limit = Seconds{20}) = 0;
  void run_for(Microseconds duration) {
    bool is_over = false;
    Timer timer(loop());
    timer.after(duration, [&] { is_over = true; });
    run_until([&] { return is_over; });
  }
};

// Paths: /ok /echo /moved /busy /big (1,000,000 bytes) /thousand /half /half-headers /nothing /cut.
class HttpBench : public Bench {
 public:
  virtual std::unique_ptr<HttpClient> make_client() = 0;
  virtual std::string url(const std::string& path) = 0;
  virtual std::string tls_url(const std::string& path) = 0;
  virtual std::string wrong_name_url(const std::string& path) = 0;
  virtual std::string refusing_url() = 0;
  virtual TlsOptions trusting() = 0;
  virtual TlsOptions distrusting() = 0;
  virtual int connections() = 0;
  virtual int requests(const std::string& path) = 0;
};

// Topics under "denied/" are refused (135).
class MqttBench : public Bench {
 public:
  virtual MqttClients& clients() = 0;
  virtual MqttOptions options(const std::string& client_id) = 0;
  virtual MqttOptions tls_options(const std::string& client_id) = 0;
  virtual MqttOptions distrusting_options(const std::string& client_id) = 0;
  virtual MqttOptions wrong_name_options(const std::string& client_id) = 0;
  virtual void freeze() = 0;
  virtual void thaw() = 0;
  virtual void kill() = 0;
};

struct HttpBackend {
  const char* name;
  std::unique_ptr<HttpBench> (*make)();
};
struct MqttBackend {
  const char* name;
  std::unique_ptr<MqttBench> (*make)();
};
inline void PrintTo(const HttpBackend& backend, std::ostream* out) {
  *out << backend.name;
}
inline void PrintTo(const MqttBackend& backend, std::ostream* out) {
  *out << backend.name;
}

std::unique_ptr<HttpBench> make_linux_http();
std::unique_ptr<HttpBench> make_sim_http();
std::unique_ptr<MqttBench> make_linux_mqtt();
std::unique_ptr<MqttBench> make_sim_mqtt();

}  // namespace berm::hal::contract
