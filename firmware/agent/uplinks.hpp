// SPDX-License-Identifier: Apache-2.0
// From an uplink's configuration to its transport: the one place that knows which class goes with
// which word. Reads password files (blocking: before the loop runs, or on a change of
// configuration).
#pragma once

#include <memory>
#include <string>

#include "firmware/agent/agent.hpp"
#include "firmware/control/configuration.hpp"
#include "firmware/outbox/outbox.hpp"
#include "firmware/uplink/uplink.hpp"

namespace berm::agent {

// What a way out may tell of this process.
struct Process {
  std::string instance;  // a word that no other process has
  std::string version;
  uplink::ControlChannel* channel = nullptr;  // of this uplink, where it has one
};

// Error: a password file that cannot be read, or a way this build has no client for.
Result<std::unique_ptr<uplink::Transport>> make_transport(
    const control::NodeConfiguration& node, const control::UplinkConfiguration& uplink,
    const AgentParts& parts, hal::Clock& clock, const Process& process);

uplink::ForwarderOptions forwarder_options(const control::UplinkConfiguration& uplink,
                                           outbox::UplinkIndex index);

outbox::OutboxOptions outbox_options(const control::NodeConfiguration& node,
                                     const AgentOptions& options);

}  // namespace berm::agent
