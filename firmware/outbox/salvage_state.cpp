// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/salvage_state.hpp"

#include "hal/base/json.hpp"

namespace berm::outbox {
namespace {

std::unexpected<Error> damaged() {
  return fail(ErrorCode::damaged, "outbox database: impossible state of salvage");
}

Result<std::vector<std::int64_t>> numbers_in(const Json* json) {
  if (json == nullptr || !json->is_array()) return damaged();
  std::vector<std::int64_t> numbers;
  for (const Json& one : json->array()) {
    if (!one.is_integer() || one.integer() <= 0) return damaged();
    numbers.push_back(one.integer());
  }
  return numbers;
}

Result<SalvageState::Copy> parse_copy(const Json& json) {
  const Json* number = json.find("number");
  if (number == nullptr || !number->is_integer()) return damaged();
  BERM_TRY(const auto there, numbers_in(json.find("there")));
  BERM_TRY(const auto here, numbers_in(json.find("here")));
  if (there.size() != here.size()) return damaged();
  SalvageState::Copy copy{number->integer(), {}};
  for (std::size_t i = 0; i < here.size(); ++i) copy.series.emplace_back(there[i], here[i]);
  return copy;
}

}  // namespace

std::string SalvageState::to_text() const {
  Json::Array wrecks;
  for (const Copy& copy : copies) {
    Json::Array there;
    Json::Array here;
    for (const auto& [old_id, new_id] : copy.series) {
      there.emplace_back(old_id);
      here.emplace_back(new_id);
    }
    Json wreck;
    wreck.set("number", copy.number);
    wreck.set("there", Json(std::move(there)));
    wreck.set("here", Json(std::move(here)));
    wrecks.push_back(std::move(wreck));
  }
  Json whole;
  whole.set("copies", Json(std::move(wrecks)));
  whole.set("open", Json(Json::Array(open.begin(), open.end())));
  return whole.to_text();
}

Result<SalvageState> SalvageState::parse(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json) return damaged();
  const Json* copies = json->find("copies");
  if (copies == nullptr || !copies->is_array()) return damaged();
  SalvageState state;
  BERM_TRY(state.open, numbers_in(json->find("open")));
  for (const Json& one : copies->array()) {
    BERM_TRY(Copy copy, parse_copy(one));
    state.copies.push_back(std::move(copy));
  }
  return state;
}

}  // namespace berm::outbox
