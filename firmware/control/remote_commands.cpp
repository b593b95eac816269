// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_commands.hpp"

#include <algorithm>
#include <array>

#include "firmware/control/checked_file.hpp"
#include "hal/base/base64.hpp"
#include "hal/base/digest.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

constexpr std::array<std::string_view, 4> kHarmless = {"ping", "status", "diag", "selftest"};
constexpr std::size_t kMaxDoneBytes = 1u << 20;
constexpr std::size_t kMaxKeptAnswer = 4096;  // of a repeat; a longer one is told in short

CheckedFile done_file(const std::string& directory) {
  return {directory + "/commands.json",
          "// remote commands that are done; sha256 of what follows: ", kMaxDoneBytes};
}

bool is_id(std::string_view id) {
  const auto fits = [](char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= kMaxCommandIdBytes && std::all_of(id.begin(), id.end(), fits);
}

bool is_harmless(const std::string& command, const std::vector<std::string>& words) {
  if (command == "loglevel") return words.empty();
  return std::find(kHarmless.begin(), kHarmless.end(), command) != kHarmless.end();
}

// An answer never goes where documents and commands come from.
bool may_answer_to(std::string_view topic) {
  if (topic.empty() || topic.front() == '$' || topic.starts_with("berm/")) return false;
  return topic.size() <= 1024 && topic.find_first_of("+#") == std::string_view::npos;
}

std::string text_in(const Json& body, std::string_view key) {
  const Json* const value = body.find(key);
  return value != nullptr && value->is_string() ? value->string() : std::string();
}

std::int64_t integer_in(const Json& body, std::string_view key) {
  const Json* const value = body.find(key);
  return value != nullptr && value->is_integer() ? value->integer() : 0;
}

Json state_of(std::string_view state, std::string_view reason = {}) {
  Json answer;
  answer.set("state", state);
  if (!reason.empty()) answer.set("reason", reason);
  return answer;
}

}  // namespace

// Of a command that answers later: what it says is gathered, its pieces are progress.
class RemoteCommands::Reply final : public CommandReply {
 public:
  Reply(RemoteCommands& commands, std::weak_ptr<bool> life, AskedPtr asked)
      : commands_(commands), life_(std::move(life)), asked_(std::move(asked)) {}
  bool is_open() const override { return !life_.expired() && !asked_->has_ended; }
  std::size_t unsent_bytes() const override { return 0; }
  void more(std::string_view text) override {
    if (!is_open() || asked_->pieces.size() + text.size() > kMaxResultBytes) return;
    asked_->pieces += text;
    Json progress = state_of("executing");
    progress.set("bytes", static_cast<std::int64_t>(asked_->pieces.size()));
    commands_.send(*asked_, progress);
  }
  void end(CommandAnswer answer) override {
    if (!is_open()) return;
    answer.text.insert(0, asked_->pieces);
    commands_.end(asked_, answer);
  }

 private:
  RemoteCommands& commands_;
  const std::weak_ptr<bool> life_;
  const AskedPtr asked_;
};

RemoteCommands::RemoteCommands(CommandOptions options, const CommandParts& parts)
    : options_(std::move(options)), parts_(parts), prefix_("berm/" + options_.node + "/cmd/") {
  const auto text = load_checked(parts_.disk, done_file(options_.state_directory));
  const auto kept = text ? Json::parse(*text) : fail(text.error());
  const Json* const all = kept ? kept->find("done") : nullptr;
  if (all == nullptr || !all->is_array()) return;
  forgotten_s_ = integer_in(*kept, "forgotten");
  for (const Json& one : all->array()) {
    Done done{text_in(one, "id"), text_in(one, "answer"), true, integer_in(one, "not_after")};
    if (done.id.empty()) continue;
    if (done.answer.empty() && text_in(one, "command") == "restart") {
      restarted_ = done.id;
      done.answer = state_of("successful").to_text();
    } else if (done.answer.empty()) {
      done.answer = state_of("failed", "the node stopped while it was done").to_text();
    }
    done_.push_back(std::move(done));
  }
}

RemoteCommands::~RemoteCommands() = default;

bool RemoteCommands::on_message(const hal::MqttMessage& message) {
  if (!message.topic.starts_with(prefix_)) return false;
  const std::string id = message.topic.substr(prefix_.size());
  // A retained command would be done again by every node that comes later.
  if (id.find('/') != std::string::npos || message.retain || message.payload.empty()) return true;
  if (is_id(id)) {
    take(id, message);
  } else {
    ++dropped_;
  }
  return true;
}

RemoteCommands::Done* RemoteCommands::find(std::string_view id) {
  const auto known =
      std::find_if(done_.begin(), done_.end(), [&](const Done& done) { return done.id == id; });
  return known == done_.end() ? nullptr : &*known;
}

void RemoteCommands::take(const std::string& id, const hal::MqttMessage& message) {
  const auto asked = std::make_shared<Asked>();
  asked->id = id;
  asked->response_topic = message.response_topic;
  asked->correlation_data = message.correlation_data;
  if (!has_budget(asked)) return;
  if (const Done* const known = find(id)) {
    auto again = known->answer.empty() ? state_of("executing") : *Json::parse(known->answer);
    return send(*asked, again);
  }
  const auto body = read(id, message.payload);
  std::string fault = body ? fault_of(*body, *asked) : body.error();
  if (fault.empty() && running_.size() >= kMaxCommandsRunning) fault = "too many are under way";
  if (fault.empty() && is_too_old(*asked)) {
    fault = "/not_after: it may have been done before; give it a later one";
  }
  if (!fault.empty()) {
    // Not remembered: whoever may publish could else use up the ids.
    ++failed_;
    return send(*asked, state_of("failed", fault));
  }
  const Json* const given = body->find("timeout_s");
  Seconds timeout = kCommandTimeout;
  if (given != nullptr && given->is_integer()) {
    timeout = Seconds{std::clamp<std::int64_t>(given->integer(), 1, kMaxCommandTimeout.count())};
  }
  asked->timer = std::make_unique<hal::Timer>(parts_.loop);
  asked->timer->after(timeout, [this, weak = std::weak_ptr(asked)] {
    if (const auto late = weak.lock()) finish(late, state_of("failed", "timeout"));
  });
  begin(asked);
}

bool RemoteCommands::has_budget(const AskedPtr& asked) {
  const MonoTime now = parts_.loop.now();
  if (now - minute_ >= Seconds{60} || in_minute_ == 0) {
    minute_ = now;
    in_minute_ = 0;
  }
  if (++in_minute_ <= kMaxCommandsPerMinute) return true;
  ++dropped_;
  if (in_minute_ == kMaxCommandsPerMinute + 1) {
    send(*asked, state_of("failed", "too many commands: wait a minute"));
  }
  return false;
}

std::expected<Json, std::string> RemoteCommands::read(const std::string& id,
                                                      std::string_view payload) const {
  const std::string target = "cmd/" + options_.node + "/" + id;
  auto message = parts_.control.judge(payload, target, kMaxCommandBytes);
  if (message) return std::move(message->body);
  // Who only asks needs no key.
  if (message.error().is_authentic || payload.size() > kMaxCommandBytes) {
    return std::unexpected(message.error().reason);
  }
  const auto plain = Json::parse(payload);
  const bool is_plain = plain && plain->is_object() && plain->find("signature") == nullptr;
  if (!is_plain || !is_harmless(text_in(*plain, "command"), {})) {
    return std::unexpected(message.error().reason);
  }
  const auto judged = read_message(payload, target, kMaxCommandBytes,
                                   {std::nullopt, [this] {
                                      const auto wall = parts_.clock.wall();
                                      return wall.source == ClockSource::none
                                                 ? std::optional<std::int64_t>()
                                                 : std::optional(s_of(wall.time));
                                    }()});
  if (!judged) return std::unexpected(judged.error().reason);
  return judged->body;
}

std::string RemoteCommands::fault_of(const Json& body, Asked& asked) const {
  asked.command = text_in(body, "command");
  if (asked.command.empty()) return "/command: is missing";
  const auto& allowed = options_.allowed;
  if (std::find(allowed.begin(), allowed.end(), asked.command) == allowed.end()) {
    const std::vector<std::string_view> known(allowed.begin(), allowed.end());
    const std::string_view near = nearest(asked.command, known);
    std::string text = "/command: \"" + asked.command.substr(0, 64) + "\" is not allowed here";
    if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
    return text;
  }
  if (const Json* const not_after = body.find("not_after")) {
    asked.not_after_s = time_in(*not_after).value_or(0);
  }
  if (const Json* const words = body.find("args")) {
    if (!words->is_array() || words->array().size() > 64) return "/args: must be a list of texts";
    for (const Json& word : words->array()) {
      if (!word.is_string()) return "/args: must be a list of texts";
      asked.words.push_back(word.string());
    }
  }
  if (asked.command == "loglevel" && body.find("level") != nullptr) {
    asked.words.assign(1, text_in(body, "level"));
  }
  if (asked.command == "rollback" && body.find("number") != nullptr) {
    const Json& number = *body.find("number");
    if (!number.is_integer()) return "/number: must be a whole number";
    asked.words.assign(1, std::to_string(number.integer()));
  }
  return {};
}

// Whoever may publish could send a signed command again once its id is forgotten.
bool RemoteCommands::is_too_old(const Asked& asked) const {
  if (is_harmless(asked.command, asked.words) || asked.not_after_s == 0) return false;
  return asked.not_after_s <= forgotten_s_;
}

// Questions, which anybody may ask, never push out a command; of those that which ends first goes.
void RemoteCommands::remember(const Asked& asked, bool is_kept) {
  const auto is_of_kind = [&](const Done& done) { return done.is_kept == is_kept; };
  const std::size_t most = is_kept ? kCommandsRemembered : kQuestionsRemembered;
  const auto known = std::count_if(done_.begin(), done_.end(), is_of_kind);
  if (static_cast<std::size_t>(known) >= most) {
    auto first = std::find_if(done_.begin(), done_.end(), is_of_kind);
    for (auto it = first; is_kept && it != done_.end(); ++it) {
      if (it->is_kept && it->not_after_s < first->not_after_s) first = it;
    }
    if (is_kept) forgotten_s_ = std::max(forgotten_s_, first->not_after_s);
    done_.erase(first);
  }
  done_.push_back({asked.id, "", is_kept, asked.not_after_s});
}

void RemoteCommands::begin(const AskedPtr& asked) {
  running_[asked->id] = asked;
  const bool is_kept = !is_harmless(asked->command, asked->words);
  remember(*asked, is_kept);
  log_.notice(asked->command + " (" + asked->id + ")");
  send(*asked, state_of("executing"));
  if (!is_kept) return run(asked);
  store([this, asked](bool is_stored) {
    if (!is_stored) return finish(asked, state_of("failed", "the disk does not take it"));
    if (!asked->has_ended) run(asked);
  });
}

void RemoteCommands::run(const AskedPtr& asked) {
  const std::string& command = asked->command;
  if (command == "ping") return finish(asked, state_of("successful"));
  if (command == "diag") return end(asked, {0, parts_.diagnosis()});
  if (command == "selftest") {
    const std::string text = parts_.selftest();
    const auto result = Json::parse(text);
    const Json* const passed = result ? result->find("passed") : nullptr;
    const bool is_well = passed != nullptr && passed->is_boolean() && passed->boolean();
    return end(asked, {is_well ? 0 : 1, text});
  }
  if (command == "restart") {
    if (!parts_.restart) return finish(asked, state_of("failed", "this process cannot restart"));
    // The answer is given by the life that follows.
    asked->has_ended = true;
    asked->timer->cancel();
    return parts_.restart("command " + asked->id);
  }
  if (command == "rollback") {
    const auto number =
        asked->words.empty() ? std::optional<std::int64_t>(0) : parse_integer(asked->words[0]);
    parts_.control.roll_back(
        number.value_or(-1), "command " + asked->id,
        [this, life = std::weak_ptr(life_), asked](const Result<std::string>& outcome) {
          if (life.expired()) return;
          if (outcome) return end(asked, {0, *outcome + "\n"});
          end(asked, {1, outcome.error().text + "\n"});
        });
    return;
  }
  run_verb(asked, command);
}

void RemoteCommands::run_verb(const AskedPtr& asked, const std::string& verb) {
  const std::vector<Command> commands = parts_.commands();
  const auto chosen = std::find_if(commands.begin(), commands.end(),
                                   [&](const Command& one) { return one.verb == verb; });
  if (chosen == commands.end()) {
    return finish(asked, state_of("failed", "this node has no command " + verb));
  }
  const CommandRequest request{asked->words, true, true};
  if (chosen->run) return end(asked, chosen->run(request));
  chosen->run_later(request, std::make_shared<Reply>(*this, life_, asked));
}

void RemoteCommands::end(const AskedPtr& asked, const CommandAnswer& answer) {
  if (asked->has_ended) return;
  Json last = state_of(answer.exit_code == 0 ? "successful" : "failed");
  const std::string_view text = trim(answer.text);
  if (answer.exit_code != 0) last.set("reason", text.substr(0, kMaxReasonBytes));
  if (answer.text.size() > kChunkBytes) {
    last.set("chunks", static_cast<std::int64_t>(send_chunks(*asked, answer.text)));
    last.set("bytes", static_cast<std::int64_t>(answer.text.size()));
    last.set("sha256", sha256_hex(answer.text));
  } else if (auto result = Json::parse(text)) {
    last.set("result", std::move(*result));
  } else if (!text.empty()) {
    last.set("text", text);
  }
  finish(asked, std::move(last));
}

std::size_t RemoteCommands::send_chunks(const Asked& asked, std::string_view bytes) {
  std::size_t chunk = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kChunkBytes) {
    Json piece = state_of("executing");
    piece.set("chunk", static_cast<std::int64_t>(chunk++));
    piece.set("data", base64(bytes.substr(at, kChunkBytes)));
    send(asked, piece);
  }
  return chunk;
}

void RemoteCommands::finish(const AskedPtr& asked, Json answer) {
  if (asked->has_ended) return;
  asked->has_ended = true;
  asked->timer->cancel();
  running_.erase(asked->id);
  ++answered_;
  if (text_in(answer, "state") == "failed") ++failed_;
  send(*asked, answer);
  Done* const done = find(asked->id);
  if (done == nullptr) return;
  std::string text = answer.to_text();
  if (text.size() > kMaxKeptAnswer) {
    Json brief = state_of(text_in(answer, "state"), "answered before");
    text = brief.to_text();
  }
  done->answer = std::move(text);
  if (done->is_kept) store([](bool) {});
}

void RemoteCommands::send(const Asked& asked, const Json& answer) {
  Json full = answer;
  full.set("id", asked.id);
  if (!asked.command.empty()) full.set("command", asked.command);
  hal::MqttMessage message;
  message.topic = prefix_ + asked.id + "/result";
  message.payload = full.to_text();
  message.content_type = "application/json";
  message.correlation_data = asked.correlation_data;
  parts_.publish(message);
  if (!may_answer_to(asked.response_topic)) return;
  message.topic = asked.response_topic;
  parts_.publish(std::move(message));
}

void RemoteCommands::on_link_up() {
  if (restarted_.empty()) return;
  Asked asked;
  asked.id = std::exchange(restarted_, {});
  asked.command = "restart";
  send(asked, state_of("successful"));
}

void RemoteCommands::store(std::function<void(bool stored)> then) {
  Json::Array all;
  for (const Done& done : done_) {
    if (!done.is_kept) continue;
    Json one;
    one.set("id", done.id);
    one.set("answer", done.answer);
    one.set("not_after", done.not_after_s);
    const auto running = running_.find(done.id);
    if (running != running_.end()) one.set("command", running->second->command);
    all.push_back(std::move(one));
  }
  Json whole;
  whole.set("forgotten", forgotten_s_);
  whole.set("done", std::move(all));
  const auto result = std::make_shared<Result<void>>();
  const bool is_taken = parts_.executor.submit(
      [result, text = whole.to_text(), &disk = parts_.disk, directory = options_.state_directory] {
        *result = save_checked(disk, done_file(directory), text);
      },
      [result, life = std::weak_ptr(life_), then] {
        if (!life.expired()) then(result->has_value());
      });
  if (!is_taken) then(false);
}

Status RemoteCommands::status() const {
  Status status("commands");
  status.set("running", running_.size()).set("answered", answered_);
  status.set("failed", failed_).set("dropped", dropped_);
  return status;
}

}  // namespace berm::control
