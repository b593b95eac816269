// SPDX-License-Identifier: Apache-2.0
// Store: when manifests are made.
#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/manifest.hpp"
#include "firmware/outbox/store.hpp"

namespace berm::outbox {

// Each period begins with summing what has become ready; the next commit that comes anyway takes
// the manifests along.
Result<void> Store::tend_manifests() {
  const MonoTime now = parts_.clock.mono();
  if (!manifests_due_) manifests_due_ = now + kFirstManifest;
  if (now < *manifests_due_ || is_summing_) return {};
  if (!summed_at_) return sum_manifests();
  if (now - *summed_at_ < kManifestPatience) return {};
  const auto write = [this]() -> Result<void> {
    BERM_CHECK(Manifests(core()).write());
    return Commit(core()).write_delivery_state();
  };
  BERM_CHECK(transact(write));
  manifests_written();
  return {};
}

Result<void> Store::sum_manifests() {
  Manifests manifests(core());
  is_summing_ = false;
  const auto more = manifests.sum();
  if (!more && !manifests.broken()) return fail(more.error());
  if (!more) BERM_CHECK(drop_broken(*manifests.broken()));
  is_summing_ = !more || *more;
  if (is_summing_) return {};
  if (manifests.is_any_summed()) {
    summed_at_ = parts_.clock.mono();
  } else {
    manifests_written();  // nothing to say
  }
  return {};
}

void Store::manifests_written() {
  summed_at_.reset();
  manifests_due_ = parts_.clock.mono() + kManifestPeriod;
}

}  // namespace berm::outbox
