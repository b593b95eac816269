// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_boot.hpp"

#include <algorithm>

#include "firmware/control/confirmed_document.hpp"
#include "firmware/control/limits.hpp"
#include "firmware/control/remote_rules.hpp"
#include "hal/base/digest.hpp"

namespace berm::control {
namespace {

constexpr std::int64_t kMaxTries = 2;  // of a document while which lives ended

Json parsed_json(const std::string& text) {
  Json::Limits limits;
  limits.max_bytes = kMaxDocumentBytes;
  limits.comments = true;
  auto json = Json::parse(text, limits);
  return json ? std::move(*json) : Json();
}

bool is_in_force(const RemoteState& state) {
  return std::any_of(state.layers.begin(), state.layers.end(),
                     [](const auto& layer) { return layer.second.document.is_object(); });
}

// The file, or the document confirmed last.
void read_file_layer(Boot& boot, const hal::Disk& disk, const std::string& directory,
                     const std::string& file_name, Result<std::string> text,
                     const ConfigurationSources& sources) {
  if (text) {
    boot.file_text = std::move(*text);
    boot.parsed = parse_configuration(boot.file_text, file_name, sources);
  } else {
    boot.parsed.faults.push_back(file_name + ": " + text.error().text);
  }
  if (!boot.parsed.configuration) {
    const auto confirmed = load_confirmed(disk, directory);
    if (!confirmed) return;
    auto parsed = parse_configuration(*confirmed, file_name, sources);
    if (!parsed.configuration) return;
    boot.file_fault = boot.parsed.faults.front();
    boot.file_text = *confirmed;
    boot.parsed = std::move(parsed);
  }
  boot.file = parsed_json(boot.file_text);
}

class Start {
 public:
  Start(Boot& boot, hal::Disk& disk, const std::string& directory)
      : boot_(boot), state_(boot.state), disk_(disk), directory_(directory) {}

  void go_back_from_candidate() {
    if (!state_.candidate) return;
    const Candidate candidate = *std::exchange(state_.candidate, std::nullopt);
    note({candidate.layer, candidate.sequence, "rolled_back",
          "the node stopped before it was confirmed", ""},
         candidate.who, candidate.why, {candidate.layers, Json()});
  }

  void follow_file() {
    const std::string sha256 = sha256_hex(boot_.file_text);
    if (sha256 == state_.file_sha256) return;
    const bool is_first = std::exchange(state_.file_sha256, sha256).empty();
    if (is_first) return;
    lay_down_layers(state_);
    note({"file", 0, "active", "the configuration file has changed", ""}, "", "",
         {state_.layers, Json()});
  }

  void give_up_waiting() {
    for (auto it = state_.waiting.begin(); it != state_.waiting.end();) {
      if (it->second.tries < kMaxTries) {
        ++it;
        continue;
      }
      note({it->first, it->second.sequence, "refused", "the node stopped while it was checked", ""},
           it->second.who, it->second.why, {{}, Json()});
      it = state_.waiting.erase(it);
    }
  }

  void put_layers_over(const std::string& file_name, const ConfigurationSources& sources) {
    if (!is_in_force(state_)) return;
    const auto& groups = boot_.parsed.configuration->remote->groups;
    const Json merged = state_.merged(boot_.file, groups);
    auto parsed = check_document(merged, file_name, sources);
    if (!parsed.faults.empty()) {
      lay_down_layers(state_);
      note({"file", 0, "rolled_back", "the remote layers do not fit: " + parsed.faults.front(), ""},
           "", "", {state_.layers, Json()});
      return;
    }
    boot_.parsed = std::move(parsed);
  }

 private:
  void note(Outcome outcome, std::string who, std::string why, const HistoryDocument& document) {
    const auto layer = state_.layers.find(outcome.layer);
    if (layer != state_.layers.end()) layer->second.state = outcome.state;
    state_.last = outcome;
    HistoryEntry entry{.outcome = std::move(outcome), .who = std::move(who), .why = std::move(why)};
    remember(state_, std::move(entry), document).write(disk_, directory_);
  }

  Boot& boot_;
  RemoteState& state_;
  hal::Disk& disk_;
  const std::string& directory_;
};

}  // namespace

void lay_down_layers(RemoteState& state) {
  for (auto& [name, layer] : state.layers) {
    if (layer.document.is_object()) layer.state = "rolled_back";
    layer.document = Json();
    layer.sequence = 0;
  }
  state.waiting.clear();
}

HistoryWork remember(RemoteState& state, HistoryEntry entry, HistoryDocument document) {
  entry.number = state.next_number++;
  HistoryWork work{entry.number, std::move(document), {}};
  state.history.push_back(std::move(entry));
  while (state.history.size() > kHistoryKept) {
    work.forgotten.push_back(state.history.front().number);
    state.history.erase(state.history.begin());
  }
  return work;
}

void HistoryWork::write(hal::Disk& disk, const std::string& directory) const {
  static_cast<void>(save_history(disk, directory, number, document));
  for (const std::int64_t old : forgotten) forget_history(disk, directory, old);
}

Boot boot_configuration(hal::Disk& disk, const std::string& state_directory,
                        const std::string& file_name, const ConfigurationSources& sources) {
  return boot_with(disk, state_directory, file_name, disk.read(file_name, kMaxDocumentBytes),
                   sources);
}

Boot boot_with(hal::Disk& disk, const std::string& state_directory, const std::string& file_name,
               Result<std::string> file_text, const ConfigurationSources& sources) {
  Boot boot;
  read_file_layer(boot, disk, state_directory, file_name, std::move(file_text), sources);
  if (!boot.parsed.configuration || !boot.parsed.configuration->remote) return boot;
  auto stored = load_remote_state(disk, state_directory);
  if (stored) {
    boot.state = std::move(*stored);
  } else if (stored.error().code != ErrorCode::not_found) {
    boot.trouble = "what was known of remote documents is lost: " + stored.error().text;
  }
  const RemoteState before = boot.state;
  Start start(boot, disk, state_directory);
  start.go_back_from_candidate();
  start.follow_file();
  start.give_up_waiting();
  start.put_layers_over(file_name, sources);
  boot.state.last.sha256 = boot.parsed.sha256;
  if (boot.state == before) return boot;
  static_cast<void>(disk.make_directory(state_directory));
  if (const auto saved = save_remote_state(disk, state_directory, boot.state); !saved) {
    boot.trouble = "the state of remote control is not stored: " + saved.error().text;
  }
  return boot;
}

}  // namespace berm::control
