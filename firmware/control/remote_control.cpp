// SPDX-License-Identifier: Apache-2.0
// Messages, their judgement, storing and reporting. The trial of a document: remote_trial.cpp.
#include "firmware/control/remote_control.hpp"

#include <algorithm>

#include "hal/base/digest.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

constexpr std::string_view kConfigSuffix = "/config/set";
constexpr std::string_view kGroupPrefix = "berm/group/";

std::string shortened(std::string text) {
  if (text.size() <= kMaxReasonBytes) return text;
  text.resize(kMaxReasonBytes);
  while (!text.empty() && !is_valid_utf8(text)) text.pop_back();
  return text + "…";
}

}  // namespace

RemoteControl::RemoteControl(RemoteOptions options, const RemoteParts& parts, Boot boot)
    : options_(std::move(options)),
      parts_(parts),
      file_(std::move(boot.file)),
      running_(std::move(boot.parsed)),
      state_(std::move(boot.state)),
      due_timer_(parts.loop),
      watch_timer_(parts.loop),
      save_timer_(parts.loop),
      report_timer_(parts.loop),
      forged_timer_(parts.loop),
      retry_timer_(parts.loop) {
  if (!boot.trouble.empty()) {
    parts_.alarms.begin_alarm("remote_state", "remote", drivers::Severity::warning, boot.trouble);
  }
  load_key();
}

void RemoteControl::load_key() {
  if (options_.remote.public_key_file.empty()) return;
  const auto pem = parts_.disk.read(options_.remote.public_key_file, kMaxKeyPemBytes);
  auto key = pem ? PublicKey::from_pem(*pem) : fail(pem.error());
  if (!key) {
    key_fault_ = options_.remote.public_key_file + ": " + key.error().text;
    parts_.alarms.begin_alarm("remote_key", "remote", drivers::Severity::critical,
                              "no remote document can be taken: " + key_fault_);
    return;
  }
  parts_.alarms.end_alarm("remote_key", "remote");
  file_key_ = std::move(*key);
  use_key();
}

// A key that a signed document brought holds until the file's own key changes.
void RemoteControl::use_key() {
  key_ = file_key_;
  if (state_.key.empty() || !file_key_) return;
  auto brought = PublicKey::from_pem(state_.key);
  if (brought && state_.key_file_id == file_key_->id()) {
    key_ = std::move(*brought);
  } else {
    state_.key.clear();
    state_.key_file_id.clear();
  }
}

void RemoteControl::start() {
  for (const auto& [layer, waiting] : state_.waiting) {
    std::int64_t offset_s = waiting.offset_s;
    const auto now = now_s();
    // What has passed of it before this life counts, as far as that is known.
    if (now && waiting.received_s) {
      offset_s -= std::clamp<std::int64_t>(*now - *waiting.received_s, 0, offset_s);
    }
    wait_for(layer, offset_s);
  }
  begin_next();
}

void RemoteControl::stop() {
  is_stopped_ = true;
  for (hal::Timer* timer :
       {&due_timer_, &watch_timer_, &save_timer_, &report_timer_, &forged_timer_, &retry_timer_}) {
    timer->cancel();
  }
}

// --- topics and trust

std::string RemoteControl::target_of(std::string_view layer) const {
  return layer == kNodeLayer ? "node/" + options_.node : std::string(layer);
}

std::string RemoteControl::config_topic(std::string_view layer) const {
  const std::string place = layer == kNodeLayer ? options_.node : std::string(layer);
  return "berm/" + place + std::string(kConfigSuffix);
}

std::vector<std::string> RemoteControl::topics() const {
  std::vector<std::string> topics;
  for (const std::string& group : options_.remote.groups) {
    topics.push_back(config_topic("group/" + group));
  }
  topics.push_back(config_topic(kNodeLayer));
  return topics;
}

std::optional<std::string> RemoteControl::layer_of(std::string_view topic) const {
  if (topic == config_topic(kNodeLayer)) return std::string(kNodeLayer);
  if (!topic.starts_with(kGroupPrefix) || !topic.ends_with(kConfigSuffix)) return std::nullopt;
  for (const std::string& group : options_.remote.groups) {
    if (topic == config_topic("group/" + group)) return "group/" + group;
  }
  return std::nullopt;
}

std::optional<std::int64_t> RemoteControl::now_s() const {
  const hal::WallReading wall = parts_.clock.wall();
  if (wall.source == ClockSource::none) return std::nullopt;
  return s_of(wall.time);
}

std::expected<RemoteMessage, Refusal> RemoteControl::judge(std::string_view bytes,
                                                           std::string_view target,
                                                           std::size_t max_bytes) const {
  if (!key_fault_.empty()) {
    return std::unexpected(
        Refusal{"the public key cannot be read: " + key_fault_, false, false, std::nullopt});
  }
  return read_message(bytes, target, max_bytes, {key_, now_s()});
}

bool RemoteControl::has_budget() {
  const MonoTime now = parts_.loop.now();
  if (now - budget_second_ >= Seconds{1}) {
    budget_second_ = now;
    budget_used_ = 0;
  }
  if (budget_used_ >= kMaxMessagesPerSecond) {
    ++dropped_;
    return false;
  }
  ++budget_used_;
  return true;
}

// --- messages

bool RemoteControl::on_message(std::string_view topic, std::string_view payload) {
  const auto layer = layer_of(topic);
  if (!layer) return false;
  if (!payload.empty() && has_budget()) take(*layer, payload);
  return true;
}

void RemoteControl::take(const std::string& layer, std::string_view payload) {
  if (payload.size() > kMaxEnvelopeBytes) {
    return take_forged(
        layer, {text_of("longer than %zu bytes", kMaxEnvelopeBytes), false, false, std::nullopt});
  }
  const std::string digest = sha256_hex(payload);
  const auto seen = last_forged_.find(layer);
  if (seen != last_forged_.end() && seen->second == digest) {
    ++forged_;
    return;
  }
  const auto message = judge(payload, target_of(layer), kMaxEnvelopeBytes);
  if (!message) {
    const Refusal& refusal = message.error();
    if (refusal.is_authentic && !refusal.is_foreign && refusal.sequence) {
      return take_refused(layer, *refusal.sequence, refusal.reason, Json());
    }
    last_forged_[layer] = digest;
    return take_forged(layer, refusal);
  }
  auto set = read_set_message(message->body);
  if (set) return take_new(layer, std::move(*set), message->is_signed);
  const Json* const sequence = message->body.find("sequence");
  if (sequence != nullptr && sequence->is_integer() && sequence->integer() >= 1) {
    return take_refused(layer, sequence->integer(), set.error(), Json());
  }
  last_forged_[layer] = digest;
  take_forged(layer, {set.error(), false, false, std::nullopt});
}

// Nothing of it is stored: whoever may publish could else burn the sequences or wear out the card.
void RemoteControl::take_forged(const std::string& layer, const Refusal& refusal) {
  ++forged_;
  log_.warning(layer + ": refused: " + refusal.reason);
  if (stage_ != Stage::idle || forged_timer_.is_set()) return;
  if (needs_signature()) forged_timer_.after(kForgedReport, [] {});
  Outcome outcome{layer, refusal.sequence.value_or(0), "refused", shortened(refusal.reason),
                  running_.sha256};
  const Outcome before = std::exchange(state_.last, std::move(outcome));
  report();
  state_.last = before;
}

void RemoteControl::take_refused(const std::string& layer, std::int64_t sequence,
                                 const std::string& reason, const Json& document) {
  const std::int64_t floor = options_.remote.sequence_floor;
  if (!state_.is_new(layer, sequence, floor)) return note_ignored(layer, sequence);
  state_.layers[layer].floor = sequence;
  HistoryDocument kept;
  kept.layers[layer] = Layer{.document = document};
  finish({layer, sequence, "refused", reason, running_.sha256}, "", "", std::move(kept));
  save([this] { report(); });
}

void RemoteControl::note_ignored(const std::string& layer, std::int64_t sequence) {
  const auto known = state_.layers.find(layer);
  const std::int64_t floor = known == state_.layers.end() ? 0 : known->second.floor;
  // What is retained comes again at each connection.
  if (sequence == floor) return;
  ++ignored_;
  ignored_reason_ = text_of(
      "%s: sequence %lld is not above %lld", layer.c_str(), static_cast<long long>(sequence),
      static_cast<long long>(std::max(floor, options_.remote.sequence_floor)));
  log_.warning("ignored: " + ignored_reason_);
  if (!report_timer_.is_set()) report_timer_.after(kIgnoredReport, [this] { report(); });
}

void RemoteControl::take_new(const std::string& layer, SetMessage message, bool is_signed) {
  const std::int64_t sequence = message.sequence;
  if (!state_.is_new(layer, sequence, options_.remote.sequence_floor)) {
    return note_ignored(layer, sequence);
  }
  Layer& known = state_.layers[layer];
  known.floor = sequence;
  if (message.rollout && !takes_part(*message.rollout, options_.node)) {
    log_.notice(text_of("%s: sequence %lld is not for this node's share of the fleet",
                        layer.c_str(), static_cast<long long>(sequence)));
    if (known.state.empty()) known.state = "received";
    state_.waiting.erase(layer);
    return save([this] { report(); });
  }
  known.state = "received";
  const std::int64_t offset_s =
      message.rollout ? rollout_offset_s(*message.rollout, options_.node) : 0;
  Waiting waiting{.sequence = sequence,
                  .document = std::move(message.document),
                  .has_document = message.has_document,
                  .is_signed = is_signed,
                  .offset_s = offset_s,
                  .received_s = now_s(),
                  .who = std::move(message.who),
                  .why = std::move(message.why),
                  .new_key = std::move(message.new_key)};
  state_.waiting.insert_or_assign(layer, std::move(waiting));
  if (stage_ == Stage::idle) {
    state_.last = {layer, sequence, "received", "", running_.sha256};
    if (offset_s > 0) {
      state_.last.reason = "begins in " + human_seconds(offset_s) + ", its place in the spread";
    }
  }
  save([this, layer, offset_s] {
    report();
    wait_for(layer, offset_s);
    begin_next();
  });
}

void RemoteControl::wait_for(const std::string& layer, std::int64_t offset_s) {
  due_[layer] = parts_.loop.now() + Seconds{offset_s};
}

// --- storing

void RemoteControl::save(std::function<void()> then) {
  after_save_.push_back(std::move(then));
  if (!is_saving_) run_save();
}

void RemoteControl::run_save() {
  is_saving_ = true;
  struct Job {
    RemoteState state;
    std::vector<HistoryWork> history;
    Result<void> result;
  };
  const auto job = std::make_shared<Job>(Job{state_, history_work_, {}});
  auto then = std::exchange(after_save_, {});
  hal::Disk& disk = parts_.disk;
  const bool is_taken = parts_.executor.submit(
      [job, &disk, directory = options_.state_directory] {
        for (const HistoryWork& work : job->history) work.write(disk, directory);
        job->result = save_remote_state(disk, directory, job->state);
      },
      [this, life = std::weak_ptr(life_), job, then]() mutable {
        if (life.expired()) return;
        const auto written = static_cast<std::ptrdiff_t>(job->history.size());
        if (job->result) {
          history_work_.erase(history_work_.begin(), history_work_.begin() + written);
        }
        saved(job->result, std::move(then));
      });
  if (!is_taken) saved(fail(ErrorCode::full, "the disk is too busy"), std::move(then));
}

void RemoteControl::saved(const Result<void>& result, std::vector<std::function<void()>> then) {
  if (!result) {
    parts_.alarms.begin_alarm("remote_state", "remote", drivers::Severity::warning,
                              "the state of remote control is not stored: " + result.error().text);
    after_save_.insert(after_save_.begin(), std::make_move_iterator(then.begin()),
                       std::make_move_iterator(then.end()));
    save_timer_.after(kSaveAgain, [this] { run_save(); });
    return;
  }
  parts_.alarms.end_alarm("remote_state", "remote");
  is_saving_ = false;
  for (const auto& callback : then) callback();
  if (!after_save_.empty() && !is_saving_) run_save();
}

// --- reporting

void RemoteControl::finish(Outcome outcome, std::string who, std::string why,
                           HistoryDocument document) {
  outcome.reason = shortened(std::move(outcome.reason));
  const auto layer = state_.layers.find(outcome.layer);
  if (layer != state_.layers.end()) layer->second.state = outcome.state;
  log_.notice(outcome.layer +
              text_of(": sequence %lld: ", static_cast<long long>(outcome.sequence)) +
              outcome.state + (outcome.reason.empty() ? "" : ": " + outcome.reason));
  state_.last = outcome;
  HistoryEntry entry{
      .at_s = now_s(), .outcome = std::move(outcome), .who = std::move(who), .why = std::move(why)};
  history_work_.push_back(remember(state_, std::move(entry), std::move(document)));
}

std::string RemoteControl::report_text() const {
  const Outcome& last = state_.last;
  Json text;
  text.set("sequence", last.sequence > 0 ? Json(last.sequence) : Json());
  text.set("state", last.state.empty() ? "active" : last.state);
  text.set("reason", last.reason.empty() ? Json() : Json(last.reason));
  text.set("layer", last.layer.empty() ? "file" : last.layer);
  text.set("sha256", last.sha256);
  Json file;
  file.set("sha256", state_.file_sha256);
  Json layers;
  layers.set("file", std::move(file));
  // Those that nothing has come for are told too: whoever asks learns which groups there are.
  for (const std::string& group : options_.remote.groups) layers.set("group/" + group, Json());
  layers.set(kNodeLayer, Json());
  for (const auto& [name, layer] : state_.layers) {
    Json one;
    one.set("sequence", layer.floor);
    one.set("state", layer.state);
    one.set("in_force", layer.document.is_object() ? Json(layer.sequence) : Json());
    layers.set(name, std::move(one));
  }
  text.set("layers", std::move(layers));
  if (key_) text.set("key", key_->id());
  if (ignored_ > 0) {
    Json ignored;
    ignored.set("count", ignored_);
    ignored.set("last", ignored_reason_);
    text.set("ignored", std::move(ignored));
  }
  return text.to_text();
}

void RemoteControl::report() {
  const std::uint64_t number = ++reports_;
  if (!parts_.link.is_up()) return;
  parts_.link.publish_retained(
      "berm/" + options_.node + "/config/state", report_text(), [this, number] {
        const bool counts = stage_ == Stage::confirming && trial_ && number >= confirming_report_;
        if (!counts) return;
        trial_->is_acknowledged = true;
        watch();
      });
}

void RemoteControl::on_link_up() {
  report();
  begin_next();
}

Status RemoteControl::status() const {
  Status status("remote");
  const Outcome& last = state_.last;
  status.set("state", last.state.empty() ? "active" : last.state).set("layer", last.layer);
  status.set("sequence", last.sequence).set("reason", last.reason);
  status.set("connected", parts_.link.is_up());
  status.set("key", key_ ? key_->id() : key_fault_.empty() ? "none" : "unreadable");
  status.set("waiting", state_.waiting.size());
  status.set("ignored", ignored_).set("forged", forged_).set("dropped", dropped_);
  for (const auto& [name, layer] : state_.layers) {
    Status one(name);
    one.set("sequence", layer.floor).set("state", layer.state);
    one.set("in_force", layer.document.is_object() ? layer.sequence : 0);
    status.add(std::move(one));
  }
  return status;
}

}  // namespace berm::control
