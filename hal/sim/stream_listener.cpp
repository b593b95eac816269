// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/stream_listener.hpp"

#include <algorithm>
#include <list>
#include <utility>

#include "hal/base/assert.hpp"

namespace berm::hal {

struct SimStreamWire {
  std::string to_agent;
  std::string unsent;    // from the agent, not yet read by the peer
  std::string received;  // read by the peer
  bool is_reading = true;
  bool has_peer = true;
  bool has_agent = true;       // the agent's side still takes and sends
  std::function<void()> wake;  // runs the agent's side in a turn of its own; empty: it is gone

  // True: something had waited, and all of it was read.
  bool read_all() {
    if (!is_reading || unsent.empty()) return false;
    received += unsent;
    unsent.clear();
    return true;
  }
  void wake_agent() const {
    if (wake) wake();
  }
};

namespace {

class SimConnection final : public StreamConnection {
 public:
  SimConnection(Loop& loop, std::shared_ptr<SimStreamWire> wire, Peer peer, std::size_t max_unsent,
                std::function<void(SimConnection&)> on_ended)
      : wire_(std::move(wire)),
        peer_(peer),
        max_unsent_(max_unsent),
        on_ended_(std::move(on_ended)),
        turn_(loop) {
    wire_->wake = [this] {
      if (!turn_.is_set()) turn_.after(Microseconds{0}, [this] { take(); });
    };
    wire_->wake();
  }
  SimConnection(const SimConnection&) = delete;
  SimConnection& operator=(const SimConnection&) = delete;
  ~SimConnection() override {
    wire_->wake = nullptr;
    wire_->has_agent = false;
  }

  void send(std::string_view bytes) override {
    if (is_closing_ || !wire_->has_agent) return;
    if (!wire_->is_reading && wire_->unsent.size() + bytes.size() > max_unsent_) return end();
    wire_->unsent += bytes;
    wire_->wake();
  }
  void close_after_sending() override {
    is_closing_ = true;
    wire_->wake();
  }
  const Peer& peer() const override { return peer_; }
  std::size_t unsent_bytes() const override { return wire_->unsent.size(); }
  bool has_ended() const { return !wire_->has_agent; }

 private:
  void take() {
    const bool has_drained = wire_->read_all();
    if (has_ended()) return on_ended_(*this);
    if (has_drained && !is_closing_) {
      const auto drained = on_drained;
      if (drained) drained();
    }
    if (!is_closing_ && !wire_->to_agent.empty()) {
      const std::string bytes = std::exchange(wire_->to_agent, {});
      const auto handler = on_bytes;  // it may put another one in its place
      if (handler) handler(bytes);
    }
    if (!wire_->has_peer) is_closing_ = true;
    const bool is_drained = wire_->unsent.empty() || !wire_->has_peer;
    if (is_closing_ && is_drained) end();
  }
  // The listener is told in a later turn.
  void end() {
    wire_->has_agent = false;
    wire_->unsent.clear();
    wire_->wake();
  }

  std::shared_ptr<SimStreamWire> wire_;
  const Peer peer_;
  const std::size_t max_unsent_;
  const std::function<void(SimConnection&)> on_ended_;
  Timer turn_;
  bool is_closing_ = false;
};

}  // namespace

SimStreamPeer::SimStreamPeer(std::shared_ptr<SimStreamWire> wire) : wire_(std::move(wire)) {}

SimStreamPeer::~SimStreamPeer() {
  wire_->has_peer = false;
  wire_->wake_agent();
}

void SimStreamPeer::send(std::string_view bytes) {
  if (!wire_->has_agent) return;
  wire_->to_agent += bytes;
  wire_->wake_agent();
}

void SimStreamPeer::set_reading(bool is_reading) {
  wire_->is_reading = is_reading;
  wire_->wake_agent();
}

const std::string& SimStreamPeer::received() const {
  return wire_->received;
}

bool SimStreamPeer::is_closed() const {
  return !wire_->has_agent;
}

class SimStreamListener final : public StreamListener {
 public:
  SimStreamListener(SimStreamListeners& owner, StreamListenerOptions options,
                    OnConnection on_connection)
      : owner_(owner), options_(std::move(options)), on_connection_(std::move(on_connection)) {
    owner_.listeners_[options_.path] = this;
  }
  SimStreamListener(const SimStreamListener&) = delete;
  SimStreamListener& operator=(const SimStreamListener&) = delete;
  ~SimStreamListener() override {
    owner_.listeners_.erase(options_.path);
    for (auto& [wire, peer] : waiting_) wire->has_agent = false;
  }

  // Taken in the next turn, as an accept would.
  void connect(std::shared_ptr<SimStreamWire> wire, Peer peer) {
    waiting_.emplace_back(std::move(wire), peer);
    if (!turn_.is_set()) turn_.after(Microseconds{0}, [this] { accept_waiting(); });
  }

 private:
  void accept_waiting() {
    for (auto& [wire, peer] : std::exchange(waiting_, {})) {
      const auto live = std::count_if(connections_.begin(), connections_.end(),
                                      [](const auto& one) { return !one->has_ended(); });
      if (static_cast<std::size_t>(live) >= options_.max_connections) {
        wire->has_agent = false;
        continue;
      }
      connections_.push_back(std::make_unique<SimConnection>(
          owner_.loop_, std::move(wire), peer, options_.max_unsent_bytes,
          [this](SimConnection& ended) { reap(ended); }));
      on_connection_(*connections_.back());
    }
  }

  void reap(SimConnection& ended) {
    const auto place = std::find_if(connections_.begin(), connections_.end(),
                                    [&](const auto& one) { return one.get() == &ended; });
    BERM_ASSERT(place != connections_.end());
    const std::unique_ptr<SimConnection> connection = std::move(*place);
    connections_.erase(place);
    if (connection->on_closed) connection->on_closed();
  }

  SimStreamListeners& owner_;
  const StreamListenerOptions options_;
  const OnConnection on_connection_;
  Timer turn_{owner_.loop_};
  std::list<std::pair<std::shared_ptr<SimStreamWire>, Peer>> waiting_;
  std::list<std::unique_ptr<SimConnection>> connections_;
};

SimStreamListeners::SimStreamListeners(Loop& loop) : loop_(loop) {}

SimStreamListeners::~SimStreamListeners() {
  BERM_ASSERT(listeners_.empty());
}

Result<std::unique_ptr<StreamListener>> SimStreamListeners::listen(
    const StreamListenerOptions& options, StreamListener::OnConnection on_connection) {
  BERM_ASSERT(on_connection && options.max_connections > 0);
  if (listeners_.contains(options.path)) {
    return fail(ErrorCode::exists, "another process listens on " + options.path);
  }
  return std::make_unique<SimStreamListener>(*this, options, std::move(on_connection));
}

std::unique_ptr<SimStreamPeer> SimStreamListeners::connect(const std::string& path, Peer peer) {
  const auto listener = listeners_.find(path);
  if (listener == listeners_.end()) return nullptr;
  auto wire = std::make_shared<SimStreamWire>();
  listener->second->connect(wire, peer);
  return std::make_unique<SimStreamPeer>(std::move(wire));
}

}  // namespace berm::hal
