// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/edge_port.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "hal/base/assert.hpp"

namespace berm::hal {

class EdgePort final : public EdgeInput {
 public:
  EdgePort(EdgePorts& ports, std::vector<EdgeWire*> wires, std::function<void()> on_start)
      : ports_(ports), wires_(std::move(wires)), on_start_(std::move(on_start)) {
    for (std::size_t n = 0; n < wires_.size(); ++n) {
      wires_[n]->port = this;
      wires_[n]->line = static_cast<std::uint16_t>(n);
    }
  }
  EdgePort(const EdgePort&) = delete;
  EdgePort& operator=(const EdgePort&) = delete;
  ~EdgePort() override {
    for (EdgeWire* wire : wires_) wire->port = nullptr;
    ports_.close(*this);
  }

  Result<void> start(OnEdges on_edges, OnState on_state) override {
    BERM_ASSERT(!on_edges_ && on_edges);
    on_edges_ = std::move(on_edges);
    on_state_ = std::move(on_state);
    on_start_();
    for (const EdgeWire* wire : wires_) {
      if (!wire->on) continue;
      batch_.push_back(
          {.time = ports_.loop_.now(), .line = wire->line, .on = true, .tells_state = true});
    }
    flush();
    return {};
  }

  Status status() const override {
    Status status("input");
    status.set("is_up", ports_.is_up());
    status.set("lines", wires_.size());
    status.set("edges", edges_);
    status.set("lost", lost_);
    return status;
  }

  void add(const Edge& edge) {
    if (!on_edges_) return;
    batch_.push_back(edge);
    ++edges_;
    lost_ += edge.lost_before;
  }
  void flush() {
    if (batch_.empty()) return;
    handed_.clear();
    handed_.swap(batch_);  // the driver may add edges meanwhile, by way of a test
    on_edges_(handed_);
  }
  void tell_state(bool is_up, MonoTime since) {
    if (on_state_) on_state_(is_up, since);
  }

 private:
  EdgePorts& ports_;
  std::vector<EdgeWire*> wires_;
  std::function<void()> on_start_;
  OnEdges on_edges_;
  OnState on_state_;
  std::vector<Edge> batch_;
  std::vector<Edge> handed_;
  std::uint64_t edges_ = 0;
  std::uint64_t lost_ = 0;
};

EdgePorts::~EdgePorts() {
  BERM_ASSERT(ports_.empty());
}

EdgeWire& EdgePorts::wire(std::string_view name) {
  const auto known = wires_.find(name);
  if (known != wires_.end()) return *known->second;
  auto made = std::make_unique<EdgeWire>();
  made->name = name;
  return *wires_.emplace(name, std::move(made)).first->second;
}

const EdgeWire* EdgePorts::find(std::string_view name) const {
  const auto known = wires_.find(name);
  return known == wires_.end() ? nullptr : known->second.get();
}

Result<std::unique_ptr<EdgeInput>> EdgePorts::open(const std::vector<std::string>& signals,
                                                   std::function<void()> on_start) {
  if (signals.empty() || signals.size() > std::numeric_limits<std::uint16_t>::max()) {
    return fail(ErrorCode::invalid, "an input needs 1…65535 signals");
  }
  std::vector<EdgeWire*> wires;
  for (const std::string& name : signals) {
    EdgeWire& opened = wire(name);
    if (opened.port)
      return fail(ErrorCode::exists, "signal " + name + " belongs to another driver");
    if (std::find(wires.begin(), wires.end(), &opened) != wires.end()) {
      return fail(ErrorCode::invalid, "signal " + name + " is named twice");
    }
    wires.push_back(&opened);
  }
  auto port = std::make_unique<EdgePort>(*this, std::move(wires), std::move(on_start));
  ports_.push_back(port.get());
  return port;
}

void EdgePorts::close(EdgePort& port) {
  std::erase(ports_, &port);
}

void EdgePorts::add(EdgeWire& wire, Edge edge) {
  wire.on = edge.on;
  ++edges_;
  if (!wire.port) return;
  edge.line = wire.line;
  wire.port->add(edge);
}

void EdgePorts::flush() {
  // A driver may end inside its callback, and its port with it.
  const std::vector<EdgePort*> before = ports_;
  for (EdgePort* port : before) {
    if (std::find(ports_.begin(), ports_.end(), port) != ports_.end()) port->flush();
  }
}

void EdgePorts::tell_state(bool is_up, MonoTime since) {
  is_up_ = is_up;
  const std::vector<EdgePort*> before = ports_;
  for (EdgePort* port : before) {
    if (std::find(ports_.begin(), ports_.end(), port) != ports_.end())
      port->tell_state(is_up, since);
  }
}

}  // namespace berm::hal
