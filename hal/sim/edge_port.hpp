// SPDX-License-Identifier: Apache-2.0
// EdgePorts: what all simulated edge inputs share: which driver has which signal, the level of
// every wire, and the batches. A source adds edges by wire and flushes; a port hands its driver the
// batch of its own lines. A wire that nobody opened still has a level, so that a driver that comes
// later starts right. Used by edge_input.hpp only. Loop thread; the EdgePorts outlive the ports
// they opened.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hal/edge_input.hpp"
#include "hal/loop.hpp"

namespace berm::hal {

class EdgePort;

struct EdgeWire {
  std::string name;
  bool on = false;
  EdgePort* port = nullptr;  // nullptr: no driver has it
  std::uint16_t line = 0;    // of the port
};

class EdgePorts {
 public:
  explicit EdgePorts(const Loop& loop) : loop_(loop) {}
  EdgePorts(const EdgePorts&) = delete;
  EdgePorts& operator=(const EdgePorts&) = delete;
  ~EdgePorts();

  // Error exists: a driver has one of them; invalid: none or one named twice.
  Result<std::unique_ptr<EdgeInput>> open(const std::vector<std::string>& signals,
                                          std::function<void()> on_start);
  // Made where it is not yet; the address stays.
  EdgeWire& wire(std::string_view name);
  const EdgeWire* find(std::string_view name) const;
  void add(EdgeWire& wire, Edge edge);
  void flush();
  void tell_state(bool is_up, MonoTime since);
  bool is_up() const { return is_up_; }
  std::uint64_t edges() const { return edges_; }

 private:
  friend class EdgePort;
  void close(EdgePort& port);

  const Loop& loop_;
  std::map<std::string, std::unique_ptr<EdgeWire>, std::less<>> wires_;
  std::vector<EdgePort*> ports_;
  std::uint64_t edges_ = 0;
  bool is_up_ = true;
};

}  // namespace berm::hal
