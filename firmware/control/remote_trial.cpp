// SPDX-License-Identifier: Apache-2.0
// The trial of a document: checked whole, dry run, stored, applied, confirmed or gone back from.
#include <algorithm>

#include "firmware/control/remote_control.hpp"
#include "firmware/control/remote_rules.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

constexpr Milliseconds kWatch{500};  // while a document is being confirmed
constexpr int kMaxGoingBack = 3;     // then the process begins anew
constexpr std::string_view kRollback = "rollback";

// "/etc/berm/berm.json:/uplinks/x: text" without the file's name.
std::string without_file(const std::string& fault, const std::string& file) {
  return fault.starts_with(file + ":") ? fault.substr(file.size() + 1) : fault;
}

std::string joined(const std::vector<std::string>& lines, const std::string& file) {
  std::string text;
  for (std::size_t i = 0; i < lines.size() && i < kMaxReportedFaults; ++i) {
    if (i > 0) text += "; ";
    text += without_file(lines[i], file);
  }
  return text;
}

}  // namespace

void RemoteControl::begin_next() {
  if (stage_ != Stage::idle || is_stopped_ || state_.waiting.empty()) return;
  if (!parts_.link.is_up()) return;
  const MonoTime now = parts_.loop.now();
  std::optional<MonoTime> next;
  for (const auto& [layer, waiting] : state_.waiting) {
    const auto due = due_.find(layer);
    if (due == due_.end()) continue;  // not stored yet
    if (due->second <= now) return try_waiting(std::string(layer));
    next = next ? std::min(*next, due->second) : due->second;
  }
  if (next) due_timer_.at(*next, [this] { begin_next(); });
}

// That it begins is stored first: a document at which the process ends again and again is left.
void RemoteControl::try_waiting(const std::string& layer) {
  Waiting& waiting = state_.waiting.find(layer)->second;
  ++waiting.tries;
  stage_ = Stage::checking;
  save([this, layer, sequence = waiting.sequence] {
    stage_ = Stage::idle;
    const auto still = state_.waiting.find(layer);
    const bool is_same = still != state_.waiting.end() && still->second.sequence == sequence;
    if (is_stopped_) return;
    if (!is_same) return begin_next();
    begin_trial(layer, still->second);
  });
}

void RemoteControl::begin_trial(const std::string& layer, const Waiting& waiting) {
  Trial trial;
  trial.candidate.layer = layer;
  trial.candidate.sequence = waiting.sequence;
  trial.candidate.layers = state_.layers;
  trial.candidate.who = waiting.who;
  trial.candidate.why = waiting.why;
  trial.candidate.new_key = waiting.new_key;
  if (waiting.has_document) {
    Layer& own = trial.candidate.layers[layer];
    own.sequence = waiting.sequence;
    own.document = waiting.document;
    own.is_signed = waiting.is_signed;
    own.who = waiting.who;
    own.why = waiting.why;
  }
  check(std::move(trial));
}

bool RemoteControl::is_all_signed(const Layers& layers) const {
  return std::all_of(layers.begin(), layers.end(), [](const auto& entry) {
    return !entry.second.document.is_object() || entry.second.is_signed;
  });
}

// Fills trial.next.
std::optional<std::string> RemoteControl::fault_of(Trial& trial) {
  const Json merged = merge_layers(file_, options_.remote.groups, trial.candidate.layers);
  trial.next = check_document(merged, options_.file_name, options_.sources);
  if (!trial.next.faults.empty()) return joined(trial.next.faults, options_.file_name);
  const bool is_signed = is_all_signed(trial.candidate.layers);
  const auto forbidden = forbidden_changes(file_, merged, is_signed, options_.sources);
  if (!forbidden.empty()) {
    std::vector<std::string> lines;
    for (const OptionFault& fault : forbidden) lines.push_back(fault.path + ": " + fault.text);
    return joined(lines, options_.file_name);
  }
  if (trial.candidate.new_key.empty()) return std::nullopt;
  if (!key_) return "/public_key: this node has no key that could be changed";
  const auto key = PublicKey::from_pem(trial.candidate.new_key);
  if (!key) return "/public_key: " + key.error().text;
  return std::nullopt;
}

void RemoteControl::check(Trial trial) {
  stage_ = Stage::checking;
  trial_ = std::move(trial);
  if (const auto fault = fault_of(*trial_)) return refuse(*fault);
  trial_->candidate.sha256 = trial_->next.sha256;
  // Nothing differs: there is nothing to try.
  if (trial_->next.sha256 == running_.sha256) return confirm();
  stage_ = Stage::probing;
  parts_.target.probe(trial_->next, [this, life = std::weak_ptr(life_)](const ProbeReport& probe) {
    if (!life.expired()) probed(probe);
  });
}

void RemoteControl::refuse(const std::string& reason) {
  const Candidate& candidate = trial_->candidate;
  HistoryDocument kept;
  const auto own = candidate.layers.find(candidate.layer);
  if (own != candidate.layers.end()) kept.layers[candidate.layer] = own->second;
  finish({candidate.layer, candidate.sequence, "refused", reason, running_.sha256}, candidate.who,
         candidate.why, std::move(kept));
  // A newer one may have come meanwhile.
  const auto waiting = state_.waiting.find(candidate.layer);
  if (waiting != state_.waiting.end() && waiting->second.sequence == candidate.sequence) {
    state_.waiting.erase(waiting);
  }
  end_trial(fail(ErrorCode::invalid, reason));
}

// Stores and reports what became of it, and goes on with what waits.
void RemoteControl::end_trial(Result<std::string> outcome) {
  auto done = std::move(trial_->done);
  trial_.reset();
  stage_ = Stage::closing;
  save([this, done = std::move(done), outcome = std::move(outcome)] {
    stage_ = Stage::idle;
    report();
    if (done) done(outcome);
    begin_next();
  });
}

void RemoteControl::probed(const ProbeReport& probe) {
  BERM_ASSERT(stage_ == Stage::probing);
  if (!probe.faults.empty()) return refuse(joined(probe.faults, options_.file_name));
  trial_->reason = joined(probe.warnings, options_.file_name);
  stage_ = Stage::storing;
  state_.candidate = trial_->candidate;
  const auto waiting = state_.waiting.find(trial_->candidate.layer);
  if (waiting != state_.waiting.end() && waiting->second.sequence == trial_->candidate.sequence) {
    state_.waiting.erase(waiting);
  }
  state_.last = {trial_->candidate.layer, trial_->candidate.sequence, "candidate", trial_->reason,
                 running_.sha256};
  const auto layer = state_.layers.find(trial_->candidate.layer);
  if (layer != state_.layers.end()) layer->second.state = "candidate";
  save([this] {
    report();
    apply();
  });
}

void RemoteControl::apply() {
  if (is_stopped_) return;  // the next life goes back from it
  stage_ = Stage::applying;
  deadline_ = parts_.loop.now() + options_.remote.confirm;
  parts_.target.apply(trial_->next,
                      [this, life = std::weak_ptr(life_)](const Result<void>& result) {
                        if (!life.expired()) applied(result);
                      });
}

void RemoteControl::applied(const Result<void>& result) {
  if (!result) return go_back("it could not be applied: " + result.error().text);
  stage_ = Stage::confirming;
  state_.last = {trial_->candidate.layer, trial_->candidate.sequence, "confirming", trial_->reason,
                 trial_->next.sha256};
  const auto layer = state_.layers.find(trial_->candidate.layer);
  if (layer != state_.layers.end()) layer->second.state = "confirming";
  confirming_report_ = reports_ + 1;
  report();
  watch_timer_.after(kWatch, [this] { watch(); });
}

void RemoteControl::watch() {
  if (stage_ != Stage::confirming) return;
  std::vector<std::string> missing = parts_.target.unconfirmed();
  if (trial_->needs_link && !trial_->is_acknowledged) {
    missing.insert(missing.begin(),
                   "uplink " + options_.remote.uplink + " has not acknowledged this node's state");
  }
  if (missing.empty()) return confirm();
  if (parts_.loop.now() >= deadline_) {
    return go_back("not confirmed within " + human_seconds(options_.remote.confirm.count()) + ": " +
                   joined(missing, options_.file_name));
  }
  watch_timer_.after(kWatch, [this] { watch(); });
}

// From here on the new document is the one a boot takes, as soon as that is stored.
void RemoteControl::confirm() {
  watch_timer_.cancel();
  const Candidate& candidate = trial_->candidate;
  const auto old_layers = state_.layers;
  state_.layers = candidate.layers;
  // Floors may have risen while it was tried.
  for (const auto& [name, old] : old_layers) {
    Layer& layer = state_.layers[name];
    layer.floor = std::max(layer.floor, old.floor);
    if (name != candidate.layer && !old.state.empty()) layer.state = old.state;
  }
  state_.candidate.reset();
  const auto waiting = state_.waiting.find(candidate.layer);
  if (waiting != state_.waiting.end() && waiting->second.sequence == candidate.sequence) {
    state_.waiting.erase(waiting);
  }
  if (!candidate.new_key.empty()) {
    state_.key = candidate.new_key;
    state_.key_file_id = file_key_->id();
  }
  confirmed();
}

void RemoteControl::confirmed() {
  const Candidate candidate = trial_->candidate;
  running_ = std::move(trial_->next);
  use_key();
  if (!candidate.new_key.empty()) {
    // What the new key has signed came in vain so far.
    last_forged_.clear();
    parts_.link.ask_again();
  }
  finish({candidate.layer, candidate.sequence, "active", trial_->reason, running_.sha256},
         candidate.who, candidate.why, {state_.layers, running_.effective});
  end_trial(std::string("active"));
}

void RemoteControl::go_back(std::string reason) {
  watch_timer_.cancel();
  if (is_stopped_) return;
  stage_ = Stage::going_back;
  log_.warning("going back: " + reason);
  parts_.target.apply(running_, [this, life = std::weak_ptr(life_),
                                 reason = std::move(reason)](const Result<void>& result) {
    if (!life.expired()) gone_back(result, reason);
  });
}

void RemoteControl::gone_back(const Result<void>& result, const std::string& reason) {
  if (!result) {
    log_.error("going back failed: " + result.error().text);
    if (++going_back_failures_ >= kMaxGoingBack) return parts_.target.give_up(reason);
    retry_timer_.after(kProbeAgain, [this, reason] { go_back(reason); });
    return;
  }
  going_back_failures_ = 0;
  const Candidate candidate = trial_->candidate;
  state_.candidate.reset();
  finish({candidate.layer, candidate.sequence, "rolled_back", reason, running_.sha256},
         candidate.who, candidate.why, {candidate.layers, trial_->next.effective});
  end_trial(fail(ErrorCode::unavailable, reason));
}

// --- asked for

void RemoteControl::roll_back(std::int64_t number, const std::string& who,
                              std::function<void(Result<std::string>)> done) {
  if (stage_ != Stage::idle) {
    return done(fail(ErrorCode::unavailable, "a document is being tried: try again after it"));
  }
  if (number == 0) {
    if (state_.layers.empty()) {
      return done(fail(ErrorCode::not_found, "nothing but the file was ever in force"));
    }
    // The newest that was active, other than the one that is.
    for (const HistoryEntry& entry : state_.history) {
      const Outcome& outcome = entry.outcome;
      if (outcome.state == "active" && outcome.sha256 != running_.sha256) number = entry.number;
    }
  }
  if (number == 0) return begin_roll_back({}, "to the file", who, std::move(done));
  const auto known =
      std::find_if(state_.history.begin(), state_.history.end(),
                   [&](const HistoryEntry& entry) { return entry.number == number; });
  if (known == state_.history.end()) {
    return done(fail(ErrorCode::not_found, "there is no such configuration in the history"));
  }
  stage_ = Stage::checking;
  const auto document = std::make_shared<Result<HistoryDocument>>();
  const bool is_taken = parts_.executor.submit(
      [document, &disk = parts_.disk, directory = options_.state_directory, number] {
        *document = load_history(disk, directory, number);
      },
      [this, life = std::weak_ptr(life_), document, who, number, done] {
        if (life.expired()) return;
        stage_ = Stage::idle;
        if (!*document) return done(fail(document->error()));
        begin_roll_back((*document)->layers,
                        text_of("back to %lld", static_cast<long long>(number)), who, done);
      });
  if (!is_taken) {
    stage_ = Stage::idle;
    done(fail(ErrorCode::full, "the disk is too busy"));
  }
}

// Floors stay as they are: what was received once is not received again.
void RemoteControl::begin_roll_back(const Layers& then, std::string why, const std::string& who,
                                    std::function<void(Result<std::string>)> done) {
  Trial trial;
  trial.candidate.layer = kRollback;
  trial.candidate.layers = state_.layers;
  for (auto& [name, layer] : trial.candidate.layers) {
    const auto before = then.find(name);
    const bool was_there = before != then.end();
    layer.document = was_there ? before->second.document : Json();
    layer.sequence = was_there ? before->second.sequence : 0;
    layer.is_signed = was_there && before->second.is_signed;
    layer.state = layer.document.is_object() ? "active" : "rolled_back";
  }
  trial.candidate.who = who;
  trial.candidate.why = std::move(why);
  trial.needs_link = parts_.link.is_up();
  trial.done = std::move(done);
  check(std::move(trial));
}

}  // namespace berm::control
