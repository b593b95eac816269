// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/flume_server.hpp"

#include <cctype>

#include "hal/base/assert.hpp"
#include "hal/base/json.hpp"

namespace berm::hal {
namespace {

constexpr std::size_t kMaxRequestHeaderBytes = 8192;    // Jetty's
constexpr std::size_t kMaxRequestBytes = 256U << 20U;   // "bounded only by heap"
constexpr Microseconds kChannelKeepAlive = Seconds{3};  // a put waits so long for space

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string header_of(const HttpRequest& request, std::string_view lower_case_name) {
  for (const auto& [name, value] : request.headers) {
    if (lower_case(name) == lower_case_name) return lower_case(value);
  }
  return {};
}

SimHttpReply refuse(int status, const std::string& message, Microseconds delay = {}) {
  SimHttpReply reply;
  reply.delay = delay;
  reply.answer.status = status;
  reply.answer.headers = {{"content-type", "text/html;charset=iso-8859-1"}};
  if (status == 431) reply.answer.headers.emplace_back("connection", "close");
  const std::string code = std::to_string(status);
  reply.answer.body = "<html>\n<head>\n<title>Error " + code + " " + message +
                      "</title>\n</head>\n<body><h2>HTTP ERROR " + code + " " + message +
                      "</h2>\n<table>\n<tr><th>STATUS:</th><td>" + code +
                      "</td></tr>\n<tr><th>MESSAGE:</th><td>" + message +
                      "</td></tr>\n</table>\n</body>\n</html>\n";
  return reply;
}

// What the JSONHandler makes of one array entry. False: it refuses the whole batch.
bool read_event(const Json& entry, SimFlumeEvent& event) {
  if (!entry.is_object()) return false;
  const Json* headers = entry.find("headers");
  if (headers != nullptr && headers->is_object()) {
    for (const auto& [name, value] : headers->object()) {
      if (value.is_object() || value.is_array()) return false;
      event.headers.emplace_back(name, value.is_string() ? value.string() : value.to_text());
    }
  } else if (headers != nullptr && (headers->is_array() || headers->is_string())) {
    return false;
  }
  const Json* body = entry.find("body");
  if (body == nullptr || body->is_null()) return true;
  if (body->is_object() || body->is_array()) return false;
  event.body = body->is_string() ? body->string() : body->to_text();
  return true;
}

bool is_known_charset(const std::string& content_type) {
  const auto at = content_type.find("charset=");
  if (at == std::string::npos) return true;
  return content_type.substr(at + 8).starts_with("utf-");
}

}  // namespace

std::string_view SimFlumeEvent::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

SimFlumeServer::SimFlumeServer(SimNetwork& network, std::string host, Options options)
    : network_(network), host_(std::move(host)), options_(options), channels_(options.channels) {
  BERM_ASSERT(options.channels > 0);
  start();
}

SimFlumeServer::~SimFlumeServer() {
  kill();
}

void SimFlumeServer::start() {
  serve_http(network_, host_, [this](const HttpRequest& request) { return handle(request); });
}

void SimFlumeServer::kill() {
  network_.stop_listening(host_);
  network_.cut(host_);
  for (auto& channel : channels_) channel.waiting = 0;
}

const std::vector<SimFlumeEvent>& SimFlumeServer::taken(std::size_t channel) const {
  return channels_.at(channel).taken;
}

void SimFlumeServer::freeze_sink(std::size_t channel, bool is_frozen) {
  channels_.at(channel).is_frozen = is_frozen;
  if (!is_frozen) channels_.at(channel).waiting = 0;
}

void SimFlumeServer::answer_next(SimHttpReply reply, int count) {
  for (int i = 0; i < count; ++i) scripted_.push_back(reply);
}

SimHttpReply SimFlumeServer::handle(const HttpRequest& request) {
  ++requests_;
  if (!scripted_.empty()) {
    SimHttpReply reply = std::move(scripted_.front());
    scripted_.pop_front();
    return reply;
  }
  if (mood_) return *mood_;
  if (is_portal_) {
    SimHttpReply portal = refuse(200, "Please log in");
    return portal;
  }
  Events events;
  const int status = read(request, events);
  switch (status) {
    case 0:
      return commit(std::move(events));
    case 400:
      return refuse(400, "Bad request from client. Request has invalid JSON Syntax.");
    case 431:
      return refuse(431, "Request Header Fields Too Large");
    case 500:
      return refuse(500, "Unexpected exception. ");
    default:
      return refuse(status, "HTTP method is not supported by this URL");
  }
}

int SimFlumeServer::read(const HttpRequest& request, Events& events) const {
  std::size_t header_bytes = 0;
  for (const auto& [name, value] : request.headers) header_bytes += name.size() + value.size() + 4;
  if (header_bytes > kMaxRequestHeaderBytes) return 431;
  if (request.method == "PUT" || request.method == "DELETE") return 405;
  if (request.method == "OPTIONS" || request.method == "TRACE") return 403;
  const std::string content_type = header_of(request, "content-type");
  if (!is_known_charset(content_type) || request.body.empty()) return 500;
  if (!header_of(request, "content-encoding").empty()) return 400;
  const auto document = Json::parse(request.body, {.max_bytes = kMaxRequestBytes});
  if (!document || !document->is_array()) return 400;
  const bool is_spoilt = content_type.find("application/json") == std::string::npos;
  for (const Json& entry : document->array()) {
    if (entry.is_null()) return 500;
    SimFlumeEvent event;
    event.time = network_.loop().now();
    event.is_doubly_encoded = is_spoilt;
    if (!read_event(entry, event)) return 400;
    if (!poison_.empty() && event.body.find(poison_) != std::string::npos) return 400;
    events.push_back(std::move(event));
  }
  return 0;
}

SimHttpReply SimFlumeServer::commit(Events events) {
  const std::size_t limit = options_.transaction_capacity;
  if (events.size() > limit) {
    return refuse(503,
                  "Error appending event to channel. Channel might be full."
                  "Put queue for MemoryTransaction of capacity " +
                      std::to_string(limit) +
                      " full, consider committing more frequently, increasing capacity or "
                      "increasing thread count");
  }
  for (auto& channel : channels_) {
    if (channel.is_frozen && channel.waiting + events.size() > options_.channel_capacity) {
      return refuse(503,
                    "Error appending event to channel. Channel might be full."
                    "Space for commit to queue couldn't be acquired. Sinks are likely not keeping "
                    "up with sources, or the buffer size is too tight",
                    kChannelKeepAlive);
    }
    if (channel.is_frozen) channel.waiting += events.size();
    if (!receive_) {
      channel.taken.insert(channel.taken.end(), events.begin(), events.end());
      continue;
    }
    const auto number = static_cast<std::size_t>(&channel - channels_.data());
    for (const SimFlumeEvent& event : events) receive_(number, event);
  }
  SimHttpReply reply;
  reply.answer.status = 200;
  return reply;
}

}  // namespace berm::hal
