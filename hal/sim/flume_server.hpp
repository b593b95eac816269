// SPDX-License-Identifier: Apache-2.0
// SimFlumeServer: an HTTP source of Flume 1.11 with its JSONHandler, channels and sinks, answering
// as the real one was measured to: 200 with an empty body once every channel has the batch; 503 at
// once where the batch exceeds transactionCapacity, 503 after 3 s where a channel is full; 400 for
// the whole batch where one event is bad or the body is compressed; 500 for an empty body, `[null]`
// or a charset it does not know; 431 for headers over 8 kB; 405 and 403 for other methods. Errors
// carry HTML.
//
// Channels are committed one after the other: a 503 of the second leaves the batch in the first, so
// a retry repeats it there. Everything a channel ever took is kept in order for the test to look
// at. Beside that it can be a captive portal or answer what it is told. Used by tests of the uplink
// and by the whole-agent simulator. Thread: the loop's. Lifetime: network > server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hal/sim/http_client.hpp"

namespace berm::hal {

struct SimFlumeEvent {
  MonoTime time{};
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool is_doubly_encoded = false;  // the request named no UTF-8: non-ASCII is spoilt
  std::string_view header(std::string_view name) const;
};

class SimFlumeServer {
 public:
  struct Options {
    std::size_t transaction_capacity = 100;
    std::size_t channel_capacity = 1'000'000;
    std::size_t channels = 1;
  };

  SimFlumeServer(SimNetwork& network, std::string host)
      : SimFlumeServer(network, host, Options{}) {}
  SimFlumeServer(SimNetwork& network, std::string host, Options options);
  SimFlumeServer(const SimFlumeServer&) = delete;
  SimFlumeServer& operator=(const SimFlumeServer&) = delete;
  ~SimFlumeServer();

  // Given every event as a channel takes it; from then on none is kept here (long simulations).
  using Receive = std::function<void(std::size_t channel, const SimFlumeEvent& event)>;
  void hand_over(Receive receive) { receive_ = std::move(receive); }
  // Everything this channel ever took, repeats included.
  const std::vector<SimFlumeEvent>& taken(std::size_t channel = 0) const;
  std::uint64_t requests() const { return requests_; }

  // A frozen sink takes nothing out of its channel, which then fills up.
  void freeze_sink(std::size_t channel, bool is_frozen);
  // The process is gone: nobody listens, what the (memory) channels held is lost to their sinks.
  void kill();
  void start();
  // Answers 200 with HTML to everything and takes nothing, until told otherwise.
  void set_captive_portal(bool is_portal) { is_portal_ = is_portal; }
  // The next requests are answered so, taking nothing; before anything else is looked at.
  void answer_next(SimHttpReply reply, int count = 1);
  // Every request is answered so, taking nothing, until told otherwise (nullopt).
  void answer_all(std::optional<SimHttpReply> reply) { mood_ = std::move(reply); }
  // Refuses (400) every event whose body contains this; empty: none.
  void set_poison(std::string text) { poison_ = std::move(text); }

 private:
  struct Channel {
    std::vector<SimFlumeEvent> taken;
    std::size_t waiting = 0;
    bool is_frozen = false;
  };
  using Events = std::vector<SimFlumeEvent>;

  SimHttpReply handle(const HttpRequest& request);
  // The status to refuse with; 0: `events` is the batch.
  int read(const HttpRequest& request, Events& events) const;
  SimHttpReply commit(Events events);

  SimNetwork& network_;
  const std::string host_;
  const Options options_;
  std::vector<Channel> channels_;
  std::deque<SimHttpReply> scripted_;
  std::optional<SimHttpReply> mood_;
  Receive receive_;
  std::string poison_;
  bool is_portal_ = false;
  std::uint64_t requests_ = 0;
};

}  // namespace berm::hal
