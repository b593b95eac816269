// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_state.hpp"

#include "firmware/control/checked_file.hpp"
#include "firmware/control/limits.hpp"

namespace berm::control {
namespace {

CheckedFile state_file(const std::string& directory) {
  return {directory + "/remote.json",
          "// state of remote control; sha256 of what follows: ", kMaxStateBytes};
}

CheckedFile history_file(const std::string& directory, std::int64_t number) {
  return {directory + "/history-" + std::to_string(number) + ".json",
          "// a configuration of this node; sha256 of what follows: ", kMaxStateBytes};
}

Json json_of(const Layers& layers) {
  Json all{Json::Object{}};
  for (const auto& [name, layer] : layers) {
    Json one;
    one.set("floor", layer.floor);
    one.set("state", layer.state);
    one.set("sequence", layer.sequence);
    one.set("document", layer.document);
    one.set("signed", layer.is_signed);
    one.set("who", layer.who);
    one.set("why", layer.why);
    all.set(name, std::move(one));
  }
  return all;
}

Json json_of(const Waiting& waiting) {
  Json one;
  one.set("sequence", waiting.sequence);
  one.set("document", waiting.document);
  one.set("has_document", waiting.has_document);
  one.set("signed", waiting.is_signed);
  one.set("offset_s", waiting.offset_s);
  one.set("tries", waiting.tries);
  one.set("received_s", waiting.received_s ? Json(*waiting.received_s) : Json());
  one.set("who", waiting.who);
  one.set("why", waiting.why);
  one.set("new_key", waiting.new_key);
  return one;
}

Json json_of(const Candidate& candidate) {
  Json one;
  one.set("layer", candidate.layer);
  one.set("sequence", candidate.sequence);
  one.set("layers", json_of(candidate.layers));
  one.set("who", candidate.who);
  one.set("why", candidate.why);
  one.set("new_key", candidate.new_key);
  one.set("sha256", candidate.sha256);
  return one;
}

Json json_of(const Outcome& outcome) {
  Json one;
  one.set("layer", outcome.layer);
  one.set("sequence", outcome.sequence);
  one.set("state", outcome.state);
  one.set("reason", outcome.reason);
  one.set("sha256", outcome.sha256);
  return one;
}

Json json_of(const std::vector<HistoryEntry>& history) {
  Json::Array all;
  for (const HistoryEntry& entry : history) {
    Json one;
    one.set("number", entry.number);
    one.set("at_s", entry.at_s ? Json(*entry.at_s) : Json());
    one.set("outcome", json_of(entry.outcome));
    one.set("who", entry.who);
    one.set("why", entry.why);
    all.push_back(std::move(one));
  }
  return Json(std::move(all));
}

// Reads members with their kind; a wrong one is remembered and the whole refused at the end.
class Reader {
 public:
  const Json* member(const Json& object, std::string_view key, Json::Kind kind) {
    const Json* const value = object.is_object() ? object.find(key) : nullptr;
    if (value != nullptr && value->kind() == kind) return value;
    is_sound_ = false;
    return nullptr;
  }
  std::string text(const Json& object, std::string_view key) {
    const Json* const value = member(object, key, Json::Kind::string);
    return value == nullptr ? std::string() : value->string();
  }
  std::int64_t integer(const Json& object, std::string_view key) {
    const Json* const value = member(object, key, Json::Kind::number);
    if (value != nullptr && value->is_integer()) return value->integer();
    is_sound_ = false;
    return 0;
  }
  bool boolean(const Json& object, std::string_view key) {
    const Json* const value = member(object, key, Json::Kind::boolean);
    return value != nullptr && value->boolean();
  }
  Json document(const Json& object) {
    const Json* const value = object.is_object() ? object.find("document") : nullptr;
    const bool fits = value != nullptr && (value->is_null() || value->is_object());
    is_sound_ = is_sound_ && fits;
    return fits ? *value : Json();
  }
  Layers layers(const Json& object, std::string_view key);
  Waiting waiting(const Json& object);
  Candidate candidate(const Json& object);
  Outcome outcome(const Json& object, std::string_view key);
  std::vector<HistoryEntry> history(const Json& object, std::string_view key);
  bool is_sound() const { return is_sound_; }

 private:
  bool is_sound_ = true;
};

Layers Reader::layers(const Json& object, std::string_view key) {
  Layers all;
  const Json* const given = member(object, key, Json::Kind::object);
  if (given == nullptr) return all;
  for (const auto& [name, one] : given->object()) {
    all[name] = Layer{.floor = integer(one, "floor"),
                      .state = text(one, "state"),
                      .sequence = integer(one, "sequence"),
                      .document = document(one),
                      .is_signed = boolean(one, "signed"),
                      .who = text(one, "who"),
                      .why = text(one, "why")};
  }
  return all;
}

Waiting Reader::waiting(const Json& object) {
  Waiting waiting;
  waiting.sequence = integer(object, "sequence");
  waiting.document = document(object);
  waiting.has_document = boolean(object, "has_document");
  waiting.is_signed = boolean(object, "signed");
  waiting.offset_s = integer(object, "offset_s");
  waiting.tries = integer(object, "tries");
  const Json* const received = object.is_object() ? object.find("received_s") : nullptr;
  if (received != nullptr && received->is_integer()) waiting.received_s = received->integer();
  waiting.who = text(object, "who");
  waiting.why = text(object, "why");
  waiting.new_key = text(object, "new_key");
  return waiting;
}

Candidate Reader::candidate(const Json& object) {
  Candidate candidate;
  candidate.layer = text(object, "layer");
  candidate.sequence = integer(object, "sequence");
  candidate.layers = layers(object, "layers");
  candidate.who = text(object, "who");
  candidate.why = text(object, "why");
  candidate.new_key = text(object, "new_key");
  candidate.sha256 = text(object, "sha256");
  return candidate;
}

Outcome Reader::outcome(const Json& object, std::string_view key) {
  const Json* const one = member(object, key, Json::Kind::object);
  if (one == nullptr) return {};
  return {text(*one, "layer"), integer(*one, "sequence"), text(*one, "state"), text(*one, "reason"),
          text(*one, "sha256")};
}

std::vector<HistoryEntry> Reader::history(const Json& object, std::string_view key) {
  std::vector<HistoryEntry> all;
  const Json* const given = member(object, key, Json::Kind::array);
  if (given == nullptr) return all;
  for (const Json& one : given->array()) {
    HistoryEntry entry;
    entry.number = integer(one, "number");
    const Json* const at = one.is_object() ? one.find("at_s") : nullptr;
    if (at != nullptr && at->is_integer()) entry.at_s = at->integer();
    entry.outcome = outcome(one, "outcome");
    entry.who = text(one, "who");
    entry.why = text(one, "why");
    all.push_back(std::move(entry));
  }
  return all;
}

}  // namespace

bool RemoteState::is_new(std::string_view layer, std::int64_t sequence, std::int64_t floor) const {
  if (sequence <= floor) return false;
  const auto known = layers.find(layer);
  return known == layers.end() || sequence > known->second.floor;
}

Json merge_layers(const Json& file, const std::vector<std::string>& groups, const Layers& layers) {
  Json document = file;
  const auto add = [&](std::string_view name) {
    const auto layer = layers.find(name);
    if (layer == layers.end() || !layer->second.document.is_object()) return;
    document = merge_patch(std::move(document), layer->second.document);
  };
  for (const std::string& group : groups) add("group/" + group);
  add(kNodeLayer);
  return document;
}

Json RemoteState::merged(const Json& file, const std::vector<std::string>& groups) const {
  return merge_layers(file, groups, layers);
}

std::string to_text(const RemoteState& state) {
  Json all;
  all.set("file_sha256", state.file_sha256);
  all.set("key_file_id", state.key_file_id);
  all.set("key", state.key);
  all.set("layers", json_of(state.layers));
  Json waiting{Json::Object{}};
  for (const auto& [name, one] : state.waiting) waiting.set(name, json_of(one));
  all.set("waiting", std::move(waiting));
  if (state.candidate) all.set("candidate", json_of(*state.candidate));
  all.set("last", json_of(state.last));
  all.set("history", json_of(state.history));
  all.set("next_number", state.next_number);
  return all.to_text();
}

Result<RemoteState> remote_state_from(std::string_view text) {
  Json::Limits limits;
  limits.max_bytes = kMaxStateBytes;
  BERM_TRY(const Json all, Json::parse(text, limits));
  Reader reader;
  RemoteState state;
  state.file_sha256 = reader.text(all, "file_sha256");
  state.key_file_id = reader.text(all, "key_file_id");
  state.key = reader.text(all, "key");
  state.layers = reader.layers(all, "layers");
  if (const Json* const waiting = reader.member(all, "waiting", Json::Kind::object)) {
    for (const auto& [name, one] : waiting->object()) state.waiting[name] = reader.waiting(one);
  }
  if (const Json* const candidate = all.is_object() ? all.find("candidate") : nullptr) {
    state.candidate = reader.candidate(*candidate);
  }
  state.last = reader.outcome(all, "last");
  state.history = reader.history(all, "history");
  state.next_number = reader.integer(all, "next_number");
  if (!reader.is_sound()) return fail(ErrorCode::damaged, "not a state of remote control");
  return state;
}

Result<void> save_remote_state(hal::Disk& disk, const std::string& directory,
                               const RemoteState& state) {
  return save_checked(disk, state_file(directory), to_text(state));
}

Result<RemoteState> load_remote_state(const hal::Disk& disk, const std::string& directory) {
  BERM_TRY(const std::string text, load_checked(disk, state_file(directory)));
  return remote_state_from(text);
}

Result<void> save_history(hal::Disk& disk, const std::string& directory, std::int64_t number,
                          const HistoryDocument& document) {
  Json all;
  all.set("layers", json_of(document.layers));
  all.set("effective", document.effective);
  return save_checked(disk, history_file(directory, number), all.to_text());
}

Result<HistoryDocument> load_history(const hal::Disk& disk, const std::string& directory,
                                     std::int64_t number) {
  BERM_TRY(const std::string text, load_checked(disk, history_file(directory, number)));
  Json::Limits limits;
  limits.max_bytes = kMaxStateBytes;
  BERM_TRY(const Json all, Json::parse(text, limits));
  Reader reader;
  HistoryDocument document;
  document.layers = reader.layers(all, "layers");
  if (const Json* const effective = all.find("effective")) document.effective = *effective;
  if (!reader.is_sound()) return fail(ErrorCode::damaged, "not a configuration of this node");
  return document;
}

void forget_history(hal::Disk& disk, const std::string& directory, std::int64_t number) {
  static_cast<void>(disk.remove(history_file(directory, number).path));
}

}  // namespace berm::control
