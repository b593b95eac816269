// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/fleet.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "firmware/agent/verbs.hpp"
#include "firmware/control/limits.hpp"
#include "firmware/control/remote_message.hpp"
#include "firmware/control/remote_state.hpp"
#include "firmware/shell/status_view.hpp"
#include "hal/base/base64.hpp"
#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

constexpr Milliseconds kQuiet{1000};  // nothing retained has come for this long
constexpr Milliseconds kLookAgain{500};
constexpr std::int64_t kUnsignedFor = 3600;

std::string word_of(std::int64_t number) {
  return number == 0 ? "-" : std::to_string(number);
}

void print(const Json& line) {
  std::puts(line.to_text().c_str());
  std::fflush(stdout);
}

}  // namespace

Fleet::Fleet(FleetOptions options)
    : options_(std::move(options)),
      clock_({}),
      clients_(loop_),
      quiet_(loop_),
      watch_(loop_),
      deadline_(loop_) {}

int Fleet::run(std::function<void()> then) {
  then_ = std::move(then);
  connect();
  if (client_) loop_.run();
  return code_;
}

void Fleet::connect() {
  hal::MqttEvents events;
  events.on_connected = [this](int reason, bool) {
    if (reason != 0) {
      complain("fleet", text_of("the broker refuses this client: MQTT %d", reason), kFailed);
      return end(kFailed);
    }
    for (const char* filter : {"berm/+/state", "berm/+/info", "berm/+/config/state"}) {
      static_cast<void>(client_->subscribe(filter, 1));
    }
    if (!set_topic_.empty()) static_cast<void>(client_->subscribe(set_topic_, 1));
    wait_until_quiet(std::exchange(then_, {}));
  };
  events.on_disconnected = [this](const Error& error, int) {
    complain("fleet", error.text, kFailed);
    end(kFailed);
  };
  events.on_message = [this](const hal::MqttMessage& message) { on_message(message); };
  auto made = clients_.create(options_.broker, std::move(events));
  if (!made) {
    complain("fleet", made.error().text, kBadUsage);
    code_ = kBadUsage;
    return;
  }
  client_ = std::move(*made);
  client_->connect();
}

void Fleet::on_message(const hal::MqttMessage& message) {
  last_heard_ = loop_.now();
  if (message.topic == set_topic_ && !message.payload.empty()) {
    if (rollout_ && since_ > MonoTime{}) return;  // our own
    auto set = Json::parse(message.payload);
    if (set && set->is_object()) retained_set_ = std::move(*set);
    return;
  }
  const auto order = orders_.find(message.topic);
  if (order != orders_.end()) return on_answer(order->second, message.payload);
  board_.take(message.topic, message.payload, loop_.now());
}

void Fleet::wait_until_quiet(std::function<void()> then) {
  quiet_.after(kQuiet, [this, then = std::move(then)]() mutable {
    if (loop_.now() - last_heard_ < kQuiet) return wait_until_quiet(std::move(then));
    if (then) then();
  });
}

void Fleet::end(int code) {
  code_ = code;
  // What was published last goes out before the goodbye.
  quiet_.after(Milliseconds{100}, [this] {
    client_->disconnect();
    loop_.stop();
  });
}

// Signed where there is a key: bound to its target and an end.
void Fleet::publish(const std::string& topic, const Json& body, const std::string& target,
                    bool retain) {
  hal::MqttMessage message;
  message.topic = topic;
  message.retain = retain;
  message.content_type = "application/json";
  if (options_.key) {
    Json bound = body;
    bound.set("target", target);
    bound.set("not_after", s_of(clock_.wall().time) + options_.valid.count());
    message.payload = control::signed_envelope(bound.to_text(), *options_.key);
  } else {
    message.payload = body.to_text();
  }
  const auto sent = client_->publish(message);
  if (!sent) complain("fleet", topic + ": " + sent.error().text, kFailed);
}

// --- list

int Fleet::list() {
  return run([this] {
    print_list();
    end(kDone);
  });
}

void Fleet::print_list() const {
  shell::TextTable table({"node", "state", "version", "configuration", "sequence", "reason"});
  for (const auto& [name, node] : board_.nodes()) {
    if (options_.json) {
      Json line;
      line.set("node", name);
      line.set("state", node.state);
      line.set("version", node.version);
      line.set("config", node.config);
      print(line);
      continue;
    }
    table.add({name, node.state, node.version, node.config_text("state"),
               word_of(node.config_sequence()), node.config_text("reason").substr(0, 60)});
  }
  if (!options_.json) {
    std::fputs(table.empty() ? "no node has said anything\n" : table.text().c_str(), stdout);
  }
}

// --- roll-out

int Fleet::roll_out(RolloutErrand errand) {
  const bool is_node = errand.goal.layer == control::kNodeLayer;
  const std::string place = is_node ? errand.goal.node : errand.goal.layer;
  set_topic_ = "berm/" + place + "/config/set";
  rollout_ = std::move(errand);
  return run([this] {
    RolloutErrand& mine = *rollout_;
    std::int64_t next = board_.next_sequence(mine.goal.layer);
    if (retained_set_) {
      // Signed or not, whoever published last knew its number.
      const Json before = control::payload_of(*retained_set_);
      const Json* const last = before.find("sequence");
      if (last != nullptr && last->is_integer()) next = std::max(next, last->integer() + 1);
    }
    if (mine.sequence == 0) mine.sequence = next;
    mine.goal.sequence = mine.sequence;
    Json message;
    message.set("sequence", mine.sequence);
    message.set("document", mine.document);
    if (mine.goal.rollout) {
      Json rollout;
      rollout.set("percent", mine.goal.rollout->percent);
      rollout.set("salt", mine.goal.rollout->salt);
      rollout.set("spread_s", mine.goal.rollout->spread_s);
      message.set("rollout", std::move(rollout));
    }
    if (!mine.who.empty()) message.set("who", mine.who);
    if (!mine.why.empty()) message.set("why", mine.why);
    since_ = loop_.now();
    publish_document(mine, message);
    deadline_.after(mine.within, [this] {
      complain("fleet", "not all nodes have answered in time", kFailed);
      end(kFailed);
    });
    watch_rollout();
  });
}

void Fleet::publish_document(const RolloutErrand& errand, const Json& body) {
  const bool is_node = errand.goal.layer == control::kNodeLayer;
  publish(set_topic_, body, is_node ? "node/" + errand.goal.node : errand.goal.layer, true);
}

void Fleet::print_stand(const control::RolloutStand& stand, std::string_view event) const {
  if (options_.json) {
    Json line;
    line.set("event", event);
    line.set("sequence", rollout_->goal.sequence);
    for (const auto& [name, number] : {std::pair{"nodes", stand.nodes},
                                       {"active", stand.active},
                                       {"refused", stand.refused},
                                       {"rolled_back", stand.rolled_back},
                                       {"silent", stand.silent},
                                       {"under_way", stand.under_way}}) {
      line.set(name, static_cast<std::int64_t>(number));
    }
    Json::Array troubled;
    for (const std::string& one : stand.troubled) troubled.emplace_back(one);
    line.set("troubled", Json(std::move(troubled)));
    return print(line);
  }
  std::printf(
      "%s: sequence %lld, %zu nodes: %zu active, %zu under way, %zu refused, "
      "%zu rolled back, %zu silent\n",
      std::string(event).c_str(), static_cast<long long>(rollout_->goal.sequence), stand.nodes,
      stand.active, stand.under_way, stand.refused, stand.rolled_back, stand.silent);
  if (event != "progress") {
    for (const std::string& one : stand.troubled) std::printf("  %s\n", one.c_str());
  }
  std::fflush(stdout);
}

void Fleet::watch_rollout() {
  const auto stand = control::stand_of(board_, rollout_->goal, since_, loop_.now());
  const std::string brief = text_of("%zu %zu %zu %zu %zu", stand.active, stand.refused,
                                    stand.rolled_back, stand.silent, stand.under_way);
  if (brief != last_stand_) print_stand(stand, "progress");
  last_stand_ = brief;
  if (stand.must_stop) {
    print_stand(stand, "stopped");
    return stop_rollout();
  }
  if (stand.is_over() || (stand.nodes == 0 && loop_.now() - since_ > Seconds{5})) {
    print_stand(stand, "done");
    return end(stand.active == stand.nodes && stand.nodes > 0 ? kDone : kFailed);
  }
  watch_.after(kLookAgain, [this] { watch_rollout(); });
}

// The document before takes its place, under a number of its own: who waits for its turn forgets
// the bad one, who has it goes back, who never had it sees no difference.
void Fleet::stop_rollout() {
  Json body;
  body.set("document", Json(Json::Object{}));
  if (retained_set_) {
    const Json before = control::payload_of(*retained_set_);
    for (const char* key : {"document", "rollout", "who"}) {
      if (const Json* const value = before.find(key)) body.set(key, *value);
    }
  }
  Json ordered;
  ordered.set("sequence", rollout_->goal.sequence + 1);
  for (const auto& [key, value] : body.object()) ordered.set(key, value);
  ordered.set("why",
              text_of("stops sequence %lld", static_cast<long long>(rollout_->goal.sequence)));
  publish_document(*rollout_, ordered);
  end(kFailed);
}

// --- commands

int Fleet::command(CommandErrand errand) {
  return run([this, errand = std::move(errand)] { send_orders(errand); });
}

void Fleet::send_orders(const CommandErrand& errand) {
  std::vector<CommandErrand::One> all = errand.messages;
  if (errand.all) {
    const Json message = all.front().message;
    all.clear();
    for (const auto& [name, node] : board_.nodes()) {
      if (node.state == "online") all.push_back({name, message});
    }
  }
  std::size_t number = 0;
  for (CommandErrand::One& one : all) {
    Order order{
        one.node,
        text_of("fleet-%llx-%d-%zu", static_cast<unsigned long long>(s_of(clock_.wall().time)),
                static_cast<int>(::getpid()), number++),
        false,
        {}};
    const std::string topic = "berm/" + order.node + "/cmd/" + order.id;
    static_cast<void>(client_->subscribe(topic + "/result", 1));
    if (!options_.key) {
      one.message.set("not_after", s_of(clock_.wall().time) + kUnsignedFor);
    }
    one.message.set("timeout_s", errand.timeout.count());
    publish(topic, one.message, "cmd/" + order.node + "/" + order.id, false);
    orders_.emplace(topic + "/result", std::move(order));
  }
  if (orders_.empty()) {
    complain("fleet", "no node is online", kFailed);
    return end(kFailed);
  }
  deadline_.after(errand.timeout + Seconds{5}, [this] {
    for (const auto& [topic, order] : orders_) {
      if (!order.has_ended) complain("fleet", order.node + " did not answer", kFailed);
    }
    end(kFailed);
  });
}

void Fleet::on_answer(Order& order, const std::string& payload) {
  const auto answer = Json::parse(payload);
  if (!answer || !answer->is_object() || order.has_ended) return;
  const Json* const chunk = answer->find("chunk");
  const Json* const data = answer->find("data");
  if (chunk != nullptr && chunk->is_integer() && data != nullptr && data->is_string()) {
    order.chunks[chunk->integer()] = base64_bytes(data->string()).value_or("");
    return;
  }
  const Json* const state = answer->find("state");
  if (state == nullptr || *state == Json("executing")) return;
  order.has_ended = true;
  if (*state != Json("successful")) ++failed_orders_;
  print_answer(order, *answer);
  const bool is_all = std::all_of(orders_.begin(), orders_.end(),
                                  [](const auto& one) { return one.second.has_ended; });
  if (is_all) end(failed_orders_ == 0 ? kDone : kFailed);
}

void Fleet::print_answer(const Order& order, const Json& answer) const {
  std::string whole;
  for (const auto& [number, bytes] : order.chunks) whole += bytes;
  if (options_.json) {
    Json line;
    line.set("node", order.node);
    for (const auto& [key, value] : answer.object()) line.set(key, value);
    if (auto result = Json::parse(whole)) line.set("result", std::move(*result));
    return print(line);
  }
  std::printf("%s: %s", order.node.c_str(), answer.find("state")->string().c_str());
  if (const Json* const reason = answer.find("reason")) {
    std::printf(": %s", reason->is_string() ? reason->string().c_str() : "");
  }
  std::puts("");
  if (const Json* const result = answer.find("result")) std::puts(result->to_text(true).c_str());
  if (const Json* const text = answer.find("text")) std::puts(text->string().c_str());
  if (!whole.empty()) std::puts(whole.c_str());
}

}  // namespace berm::agent
