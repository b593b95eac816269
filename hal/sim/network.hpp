// SPDX-License-Identifier: Apache-2.0
// SimNetwork: the way between the agent and the hosts it talks to, in the simulator: who listens,
// how far they are, what goes wrong. SimHttpClient and SimMqttClients connect through it, SimBroker
// and the HTTP servers listen on it. "host" is always "name:port".
//
// Promises: what one end sends arrives at the other in order, after the link's latency and the time
// its bandwidth takes; never inside a call. While a direction stalls its packets wait, as TCP would
// send them again: they arrive when it ends, unless the connection ended before. Everything follows
// from the loop's time and the seed: the same run twice is the same run.
//
// Thread: the loop's. Lifetime: loop > network > servers and clients; a client may die at any
// moment, what it sent before still arrives. Fails: like a network: the Errors that the Linux
// clients give.
#pragma once

#include <any>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hal/base/result.hpp"
#include "hal/base/time.hpp"
#include "hal/loop.hpp"

namespace berm::hal {

struct SimLink {
  Microseconds latency{1000};    // one way
  std::int64_t bytes_per_s = 0;  // each way and connection; 0: no limit
  bool refuse = false;           // no connection is accepted
  bool is_unknown = false;       // the name does not resolve
  bool is_untrusted = false;     // its certificate does not verify
  bool stall = false;            // both directions, connecting too: a black hole
  bool stall_answers = false;    // the host takes what is sent, its answers do not arrive
  // Chances at random, 0…1: a connection refused; a connection cut as the agent sends; a connection
  // whose host sends, but from now on is not heard any more.
  double refuse_share = 0.0;
  double cut_share = 0.0;
  double lose_answer_share = 0.0;
};

enum class SimEnd : std::uint8_t { agent = 0, host = 1 };

class SimNetwork;

// One connection, owned together by its two ends.
class SimConnection : public std::enable_shared_from_this<SimConnection> {
 public:
  using Receive = std::function<void(std::any&)>;

  SimConnection(SimNetwork& network, std::string host);
  // What this end does with what arrives, and when the other end or the network ended the
  // connection.
  void set_end(SimEnd end, Receive receive, std::function<void()> on_ended);
  void send(SimEnd from, std::size_t bytes, std::any content);
  // This end wants nothing more; the other learns it after everything sent before.
  void close(SimEnd from);
  bool is_open(SimEnd end) const { return sides_[index(end)].is_open; }

 private:
  friend class SimNetwork;
  struct Packet {
    MonoTime arrives{};
    std::any content;
    bool is_close = false;
  };
  struct Side {  // what is on its way to this end
    Receive receive;
    std::function<void()> on_ended;
    bool is_open = true;
    bool is_deaf = false;
    MonoTime line_is_free{};
    MonoTime last_arrival{};
    std::deque<Packet> packets;
  };
  static std::size_t index(SimEnd end) { return static_cast<std::size_t>(end); }
  void put(SimEnd to, std::size_t bytes, Packet packet);
  void pump(SimEnd to);
  void end_side(SimEnd end);
  void cut();

  SimNetwork& network_;
  const std::string host_;
  std::array<Side, 2> sides_;
};

class SimNetwork {
 public:
  using Accept = std::function<void(std::shared_ptr<SimConnection>)>;
  using Connected = std::function<void(Result<std::shared_ptr<SimConnection>>)>;
  // Dropping it abandons the attempt.
  struct Attempt;

  explicit SimNetwork(Loop& loop, std::uint64_t seed = 1);
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;
  ~SimNetwork();

  Loop& loop() { return loop_; }
  const SimLink& link(const std::string& host) { return links_[host]; }
  void set_link(const std::string& host, SimLink link);
  // All open connections to the host end, at both ends.
  void cut(const std::string& host);
  // The host's next `count` answers, and all that would follow on their connections, are lost.
  void lose_answers(const std::string& host, int count) { lost_answers_[host] = count; }

  void listen(const std::string& host, Accept accept) { listeners_[host] = std::move(accept); }
  // Open connections stay.
  void stop_listening(const std::string& host) { listeners_.erase(host); }

  [[nodiscard]] std::shared_ptr<Attempt> connect(const std::string& host, bool tls,
                                                 Connected connected);
  std::uint64_t connections_made() const { return connections_made_; }

 private:
  friend class SimConnection;
  void arrive(const std::shared_ptr<Attempt>& attempt);
  Result<std::shared_ptr<SimConnection>> open(const Attempt& attempt);
  bool happens(double share);
  bool loses_answer(const std::string& host);

  Loop& loop_;
  std::uint64_t random_state_;
  std::map<std::string, SimLink> links_;
  std::map<std::string, int> lost_answers_;
  std::map<std::string, Accept> listeners_;
  std::vector<std::weak_ptr<SimConnection>> connections_;
  std::vector<std::weak_ptr<Attempt>> stalled_;
  std::uint64_t connections_made_ = 0;
};

}  // namespace berm::hal
