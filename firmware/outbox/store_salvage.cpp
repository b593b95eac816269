// SPDX-License-Identifier: Apache-2.0
// Store: what a damaged database still gives.
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/opening.hpp"
#include "firmware/outbox/salvage.hpp"
#include "firmware/outbox/store.hpp"

namespace berm::outbox {

// For a new database. False: there is nothing that could be salvaged.
Result<bool> Store::adopt_wrecks() {
  const auto copies = damaged_numbers(parts_.disk, options_.directory);
  const auto unknown = [this](std::string_view name) { return unknown_schema(name); };
  BERM_TRY(const SalvageState state,
           Salvage::adopt(core(), parts_.disk, unknown, copies, sidecar_));
  if (state.is_over()) return false;
  BERM_CHECK(tables_->set_meta(kSalvageKey, state.to_text()));
  return true;
}

Result<void> Store::load_salvage() {
  if (salvage_) salvaged_ += salvage_->progress().events;
  salvage_.reset();
  BERM_TRY(const auto text, tables_->meta(kSalvageKey));
  if (!text) return {};
  BERM_TRY(SalvageState state, SalvageState::parse(*text));
  salvage_ = std::make_unique<Salvage>(core(), parts_.disk, std::move(state));
  return {};
}

Result<void> Store::salvage() {
  if (!salvage_) return {};
  BERM_CHECK(relieve(static_cast<std::int64_t>(kSalvageBytes) / database_->page_bytes() +
                     static_cast<std::int64_t>(kSalvageRows)));
  auto result = transact([this] { return salvage_->step(); });
  if (!result) {
    BERM_CHECK(load_salvage());
    return result;
  }
  for (const std::int64_t number : salvage_->take_finished()) {
    // Under its old name it would be read once more after further damage: repeats, no loss.
    if (!mark_salvaged(parts_.disk, options_.directory, number)) continue;
  }
  if (!salvage_->is_over()) return {};
  salvaged_ += salvage_->progress().events;
  salvage_.reset();
  return {};
}

}  // namespace berm::outbox
