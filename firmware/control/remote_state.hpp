// SPDX-License-Identifier: Apache-2.0
// RemoteState: everything of remote control that must outlive the process, and the pure rules over
// it: which sequences are new, what the layers make together, what a boot does with a document that
// was under way. Kept whole in one checked file, `remote.json`, so at any instant the disk holds
// the state before a step or the one after it.
//
// A layer's floor is the highest sequence ever received there, whatever became of it; it is stored
// together with the document that waits (`waiting`), before that is tried. `candidate` is there
// from before a document is applied until it is confirmed: a boot that finds one goes back. Plain
// values; any thread. A damaged file begins anew at the floors of the provisioning file and says
// so.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/json.hpp"
#include "hal/base/result.hpp"
#include "hal/disk.hpp"

namespace berm::control {

inline constexpr std::string_view kNodeLayer = "node";

struct Layer {
  std::int64_t floor = 0;     // highest sequence received
  std::string state;          // of that one; empty: none was received
  std::int64_t sequence = 0;  // of `document`; 0: none is in force
  Json document;              // null: none
  bool is_signed = false;
  std::string who, why;  // of `document`
  bool operator==(const Layer&) const = default;
};
using Layers = std::map<std::string, Layer, std::less<>>;  // "group/flanders", "node"

// Received and not yet tried: its roll-out's offset, or a trial before it, is not over.
struct Waiting {
  std::int64_t sequence = 0;
  Json document;
  bool has_document = true;
  bool is_signed = false;
  std::int64_t offset_s = 0;
  std::int64_t tries = 0;                  // that were begun; stored before
  std::optional<std::int64_t> received_s;  // nothing: the clock was not known
  std::string who, why, new_key;
  bool operator==(const Waiting&) const = default;
};

// Applied, not yet confirmed; confirmed, it becomes `layers`.
struct Candidate {
  std::string layer;  // whose document it is; "rollback": of the history
  std::int64_t sequence = 0;
  Layers layers;
  std::string who, why, new_key;
  std::string sha256;
  bool operator==(const Candidate&) const = default;
};

// What is reported of the document last acted on.
struct Outcome {
  std::string layer;
  std::int64_t sequence = 0;
  std::string state;  // received refused candidate confirming active rolled_back; empty: none yet
  std::string reason;
  std::string sha256;  // of the effective document that runs
  bool operator==(const Outcome&) const = default;
};

struct HistoryEntry {
  std::int64_t number = 0;
  std::optional<std::int64_t> at_s;  // nothing: the clock was not known
  Outcome outcome;
  std::string who, why;
  bool operator==(const HistoryEntry&) const = default;
};

struct RemoteState {
  std::string file_sha256;  // of the configuration file the layers stand on
  std::string key_file_id;  // the public key file's key when `key` was taken over
  std::string key;          // PEM of the key that a signed document brought; empty: the file's
  Layers layers;
  std::map<std::string, Waiting, std::less<>> waiting;  // by layer
  std::optional<Candidate> candidate;
  Outcome last;
  std::vector<HistoryEntry> history;  // oldest first, at most kHistoryKept
  std::int64_t next_number = 1;
  bool operator==(const RemoteState&) const = default;

  // `floor`: of the provisioning file.
  bool is_new(std::string_view layer, std::int64_t sequence, std::int64_t floor) const;
  // The file with the layers in force over it: `groups` as listed, then the node's.
  Json merged(const Json& file, const std::vector<std::string>& groups) const;
};

Json merge_layers(const Json& file, const std::vector<std::string>& groups, const Layers& layers);

std::string to_text(const RemoteState& state);
// Error damaged: not a state of ours.
Result<RemoteState> remote_state_from(std::string_view text);

// Blocking.
Result<void> save_remote_state(hal::Disk& disk, const std::string& directory,
                               const RemoteState& state);
Result<RemoteState> load_remote_state(const hal::Disk& disk, const std::string& directory);

// The documents of the history, one checked file each: `history-N.json` with the layers in force
// under it and what they made together.
struct HistoryDocument {
  Layers layers;
  Json effective;
};
Result<void> save_history(hal::Disk& disk, const std::string& directory, std::int64_t number,
                          const HistoryDocument& document);
Result<HistoryDocument> load_history(const hal::Disk& disk, const std::string& directory,
                                     std::int64_t number);
void forget_history(hal::Disk& disk, const std::string& directory, std::int64_t number);

}  // namespace berm::control
