// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/uplinks.hpp"

#include "firmware/codec/event_headers.hpp"
#include "firmware/uplink/file_transport.hpp"
#include "firmware/uplink/http_transport.hpp"
#include "firmware/uplink/mqtt_transport.hpp"
#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

constexpr std::size_t kMaxPasswordBytes = 4096;

codec::EventHeaders headers_of(const control::NodeConfiguration& node) {
  std::vector<codec::StreamTopic> topics;
  for (const control::StreamPolicy& policy : node.streams)
    topics.push_back({policy.stream, policy.topic});
  return {node.node, std::move(topics)};
}

Result<std::string> read_password(const control::Credentials& credentials, const hal::Disk& disk) {
  if (credentials.password_file.empty()) return std::string();
  auto text = disk.read(credentials.password_file, kMaxPasswordBytes);
  if (!text) return fail(std::move(text.error()).with_context(credentials.password_file));
  return std::string(trim(*text));
}

hal::TlsOptions tls_of(const control::TlsFiles& files) {
  return {files.ca_file, files.cert_file, files.key_file};
}

// Builds the transport of one way; each overload is one word of `uplink`.
struct TransportMaker {
  const control::NodeConfiguration& node;
  const control::UplinkConfiguration& uplink;
  const AgentParts& parts;
  hal::Clock& clock;
  const Process& process;
  using Made = Result<std::unique_ptr<uplink::Transport>>;

  Made operator()(const control::HttpUplinkConfiguration& http) const {
    if (parts.http == nullptr) return fail(ErrorCode::unsupported, "no HTTP client is loaded");
    BERM_TRY(std::string password, read_password(http.credentials, parts.disk));
    uplink::HttpTransportOptions options{.url = http.url.text, .headers = headers_of(node)};
    options.extra_headers = http.headers;
    options.timeout = http.timeout;
    options.tls = tls_of(http.tls);
    options.user = http.credentials.user;
    options.password = std::move(password);
    if (http.proxy) options.proxy = http.proxy->text;
    options.max_events = uplink.batch_events;
    return std::make_unique<uplink::HttpTransport>(std::move(options), parts.loop, *parts.http);
  }

  Made operator()(const control::MqttUplinkConfiguration& mqtt) const {
    if (parts.mqtt == nullptr) return fail(ErrorCode::unsupported, "no MQTT client in this build");
    BERM_TRY(std::string password, read_password(mqtt.credentials, parts.disk));
    hal::MqttOptions broker;
    broker.host = mqtt.url.host;
    broker.port = mqtt.url.port;
    broker.tls = mqtt.url.scheme == "mqtts";
    broker.tls_options = tls_of(mqtt.tls);
    broker.client_id = node.node;
    broker.user = mqtt.credentials.user;
    broker.password = std::move(password);
    broker.keepalive_s = static_cast<int>(mqtt.keepalive.count());
    broker.timeout = mqtt.timeout;
    uplink::MqttTransportOptions options{.broker = std::move(broker), .headers = headers_of(node)};
    options.payload = mqtt.payload == control::MqttPayload::event ? codec::MqttPayload::event
                                                                  : codec::MqttPayload::lines;
    options.max_events = uplink.batch_events;
    options.max_message_bytes = mqtt.max_message_bytes;
    options.instance = process.instance;
    options.version = process.version;
    options.channel = process.channel;
    options.pass_without_subscriber = mqtt.no_subscriber == control::NoSubscriber::pass;
    return std::make_unique<uplink::MqttTransport>(std::move(options), parts.loop, *parts.mqtt);
  }

  Made operator()(const control::FileUplinkConfiguration& file) const {
    uplink::FileTransportOptions options{
        .journal = {.directory = file.directory, .require_mount = file.require_mount},
        .headers = headers_of(node)};
    options.max_events = uplink.batch_events;
    const uplink::FileTransportParts file_parts{parts.loop, parts.file_executor, parts.disk, clock};
    return std::make_unique<uplink::FileTransport>(std::move(options), file_parts);
  }
};

event::WhenFull when_full_of(control::WhenFull when_full) {
  switch (when_full) {
    case control::WhenFull::conserve:
      return event::WhenFull::conserve;
    case control::WhenFull::refuse:
      return event::WhenFull::refuse;
    case control::WhenFull::oldest:
      break;
  }
  return event::WhenFull::oldest;
}

}  // namespace

Result<std::unique_ptr<uplink::Transport>> make_transport(
    const control::NodeConfiguration& node, const control::UplinkConfiguration& uplink,
    const AgentParts& parts, hal::Clock& clock, const Process& process) {
  return std::visit(TransportMaker{node, uplink, parts, clock, process}, uplink.way);
}

uplink::ForwarderOptions forwarder_options(const control::UplinkConfiguration& uplink,
                                           outbox::UplinkIndex index) {
  uplink::ForwarderOptions options;
  options.name = uplink.name;
  options.index = index;
  options.batch_events = uplink.batch_events;
  options.linger = uplink.linger;
  options.live = uplink.live;
  return options;
}

outbox::OutboxOptions outbox_options(const control::NodeConfiguration& node,
                                     const AgentOptions& options) {
  outbox::OutboxOptions out;
  out.directory = options.state_directory;
  out.node = node.node;
  out.machine_id = options.machine_id;
  out.max_bytes = node.outbox.max_bytes;
  out.keep_delivered_s = node.outbox.keep_delivered.count();
  out.hold_for_clock_s = node.outbox.hold_for_clock.count();
  out.write_budget_day_bytes = node.outbox.write_budget_day_bytes;
  for (const control::StreamPolicy& policy : node.streams) {
    const auto group_ms = policy.group ? static_cast<int>(policy.group->count()) : 0;
    out.policies.push_back({policy.stream, group_ms, when_full_of(policy.when_full),
                            policy.max_age.count(), static_cast<int>(policy.stretched.count())});
  }
  for (const control::UplinkConfiguration& uplink : node.uplinks) {
    out.uplinks.push_back({uplink.name, uplink.streams, uplink.hold});
  }
  return out;
}

}  // namespace berm::agent
