// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/network.hpp"

#include <algorithm>

namespace berm::hal {

struct SimNetwork::Attempt {
  std::string host;
  bool tls = false;
  Connected connected;
};

SimConnection::SimConnection(SimNetwork& network, std::string host)
    : network_(network), host_(std::move(host)) {}

void SimConnection::set_end(SimEnd end, Receive receive, std::function<void()> on_ended) {
  Side& side = sides_[index(end)];
  side.receive = std::move(receive);
  side.on_ended = std::move(on_ended);
}

void SimConnection::send(SimEnd from, std::size_t bytes, std::any content) {
  if (!is_open(from)) return;
  const SimEnd to = from == SimEnd::agent ? SimEnd::host : SimEnd::agent;
  if (from == SimEnd::agent && network_.happens(network_.link(host_).cut_share)) {
    cut();
    return;
  }
  if (from == SimEnd::host && network_.loses_answer(host_)) sides_[index(to)].is_deaf = true;
  put(to, bytes, Packet{{}, std::move(content), false});
}

void SimConnection::close(SimEnd from) {
  if (!is_open(from)) return;
  end_side(from);
  const SimEnd to = from == SimEnd::agent ? SimEnd::host : SimEnd::agent;
  put(to, 0, Packet{{}, {}, true});
}

void SimConnection::put(SimEnd to, std::size_t bytes, Packet packet) {
  Side& side = sides_[index(to)];
  if (!side.is_open) return;
  const SimLink& link = network_.link(host_);
  const MonoTime now = network_.loop_.now();
  side.line_is_free = std::max(side.line_is_free, now);
  if (link.bytes_per_s > 0) {
    const auto bits_time = static_cast<std::int64_t>(bytes) * 1'000'000 / link.bytes_per_s;
    side.line_is_free += Microseconds{bits_time};
  }
  side.last_arrival = std::max(side.last_arrival, side.line_is_free + link.latency);
  packet.arrives = side.last_arrival;
  side.packets.push_back(std::move(packet));
  network_.loop_.at(side.last_arrival, [weak = weak_from_this(), to] {
    if (const auto self = weak.lock()) self->pump(to);
  });
}

void SimConnection::pump(SimEnd to) {
  const auto self = shared_from_this();
  Side& side = sides_[index(to)];
  while (side.is_open && !side.is_deaf && !side.packets.empty()) {
    const SimLink& link = network_.link(host_);
    const bool is_stalled = link.stall || (to == SimEnd::agent && link.stall_answers);
    if (is_stalled || side.packets.front().arrives > network_.loop_.now()) return;
    Packet packet = std::move(side.packets.front());
    side.packets.pop_front();
    if (packet.is_close) {
      const auto on_ended = side.on_ended;
      end_side(to);
      if (on_ended) on_ended();
      return;
    }
    const auto receive = side.receive;  // an end may be set anew while it receives
    if (receive) receive(packet.content);
  }
}

void SimConnection::end_side(SimEnd end) {
  Side& side = sides_[index(end)];
  side.is_open = false;
  side.packets.clear();
  side.receive = nullptr;
  side.on_ended = nullptr;
}

void SimConnection::cut() {
  for (const SimEnd end : {SimEnd::host, SimEnd::agent}) {
    Side& side = sides_[index(end)];
    if (!side.is_open) continue;
    side.packets.clear();
    side.packets.push_back(Packet{network_.loop_.now(), {}, true});
    side.is_deaf = false;
    network_.loop_.at(network_.loop_.now(), [weak = weak_from_this(), end] {
      const auto self = weak.lock();
      if (!self || !self->is_open(end)) return;
      const auto on_ended = self->sides_[index(end)].on_ended;
      self->end_side(end);
      if (on_ended) on_ended();
    });
  }
}

SimNetwork::SimNetwork(Loop& loop, std::uint64_t seed) : loop_(loop), random_state_(seed) {}

SimNetwork::~SimNetwork() {
  // What an end does may hold the connection itself.
  for (const auto& weak : connections_) {
    const auto connection = weak.lock();
    if (!connection) continue;
    connection->end_side(SimEnd::agent);
    connection->end_side(SimEnd::host);
  }
}

void SimNetwork::set_link(const std::string& host, SimLink link) {
  links_[host] = link;
  std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
  for (const auto& weak : connections_) {
    const auto connection = weak.lock();
    if (connection->host_ != host) continue;
    loop_.at(loop_.now() + link.latency, [weak] {
      const auto self = weak.lock();
      if (!self) return;
      self->pump(SimEnd::host);
      self->pump(SimEnd::agent);
    });
  }
  for (const auto& weak : std::exchange(stalled_, {})) {
    loop_.at(loop_.now() + link.latency, [this, weak] {
      if (const auto attempt = weak.lock()) arrive(attempt);
    });
  }
}

void SimNetwork::cut(const std::string& host) {
  for (const auto& weak : connections_) {
    const auto connection = weak.lock();
    if (connection && connection->host_ == host) connection->cut();
  }
}

std::shared_ptr<SimNetwork::Attempt> SimNetwork::connect(const std::string& host, bool tls,
                                                         Connected connected) {
  auto attempt = std::make_shared<Attempt>();
  attempt->host = host;
  attempt->tls = tls;
  attempt->connected = std::move(connected);
  loop_.at(loop_.now() + link(host).latency, [this, weak = std::weak_ptr<Attempt>(attempt)] {
    if (const auto waiting = weak.lock()) arrive(waiting);
  });
  return attempt;
}

void SimNetwork::arrive(const std::shared_ptr<Attempt>& attempt) {
  if (link(attempt->host).stall) {
    stalled_.push_back(attempt);
    return;
  }
  auto opened = open(*attempt);
  const std::weak_ptr<Attempt> weak = attempt;
  loop_.at(loop_.now() + link(attempt->host).latency, [weak, opened]() mutable {
    const auto waiting = weak.lock();
    if (!waiting) {
      if (opened) (*opened)->close(SimEnd::agent);
      return;
    }
    const auto connected = std::exchange(waiting->connected, nullptr);
    if (connected) connected(std::move(opened));
  });
}

Result<std::shared_ptr<SimConnection>> SimNetwork::open(const Attempt& attempt) {
  const std::string& host = attempt.host;
  const SimLink& now = link(host);
  if (now.is_unknown) return fail(ErrorCode::not_found, host + ": the name does not resolve");
  const auto listener = listeners_.find(host);
  if (listener == listeners_.end() || now.refuse || happens(now.refuse_share)) {
    return fail(ErrorCode::unavailable, host + ": connection refused");
  }
  if (attempt.tls && now.is_untrusted) {
    return fail(ErrorCode::permission, host + ": TLS: self-signed certificate");
  }
  ++connections_made_;
  auto connection = std::make_shared<SimConnection>(*this, host);
  std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
  connections_.push_back(connection);
  const auto accept = listener->second;
  accept(connection);
  return connection;
}

bool SimNetwork::happens(double share) {
  if (share <= 0.0) return false;
  // splitmix64 (Steele, Lea, Flood 2014).
  random_state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t z = random_state_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  z ^= z >> 31U;
  return static_cast<double>(z >> 11U) * 0x1.0p-53 < share;
}

bool SimNetwork::loses_answer(const std::string& host) {
  const auto found = lost_answers_.find(host);
  if (found != lost_answers_.end() && found->second > 0) {
    --found->second;
    return true;
  }
  return happens(link(host).lose_answer_share);
}

}  // namespace berm::hal
