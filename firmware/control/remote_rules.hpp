// SPDX-License-Identifier: Apache-2.0
// What no remote document may do, however valid, and what a change of configuration restarts.
//
// Never changed remotely: `node`, `board`, `remote`, `local_http`, `allowed_topics` (the fence is
// the site's), and any option that names a local file, directory or device (`*_file`, is_path in
// its table): there must stand what the configuration file says, at the same path, or nothing; a
// part with such options may be removed whole. An uplink that holds a credential of this node
// (user, password, key, headers of the file) goes to another scheme, host, port or proxy only in a
// signed document: else whoever may publish could have the secret sent to himself. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "firmware/control/configuration_document.hpp"
#include "hal/base/json.hpp"
#include "hal/base/option_table.hpp"

namespace berm::control {

// `file` and `merged` are documents, not yet with their defaults; both are sound.
std::vector<OptionFault> forbidden_changes(const Json& file, const Json& merged, bool is_signed,
                                           const ConfigurationSources& sources);

// One part of the node whose configuration differs.
struct Change {
  std::string component;  // "drivers/e19", "uplinks/flume", "streams", "outbox", "site" …
  std::string path;       // of the first option that differs
  bool is_live = false;   // every option that differs may change while it runs
  bool operator==(const Change&) const = default;
};

// Between two effective documents; by component, each once.
std::vector<Change> changes_between(const Json& before, const Json& after,
                                    const ConfigurationSources& sources);

// Paths at which two documents differ, each `PATH: before → after`, at most `most` lines.
std::vector<std::string> difference(const Json& before, const Json& after, std::size_t most);

// The document with what may be a secret taken out: values of headers, user names and passwords in
// URLs, options that are called so.
Json without_secrets(const Json& document);

}  // namespace berm::control
