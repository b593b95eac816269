// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fstream>
#include <iostream>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/verbs.hpp"
#include "firmware/analytics/audit.hpp"
#include "firmware/shell/status_view.hpp"
#include "hal/base/json_writer.hpp"

namespace berm::agent {
namespace {

using analytics::Audit;
using analytics::StreamFinding;

constexpr std::size_t kMaxFiles = 1024;

void read_stream(std::istream& in, Audit& audit) {
  std::string line;
  while (std::getline(in, line)) audit.read_line(line);
}

void write_or_null(JsonWriter& writer, const std::optional<std::int64_t>& value) {
  if (value) {
    writer.integer(*value);
  } else {
    writer.null();
  }
}

void print_json(const Audit& audit) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().key("clean").boolean(audit.is_clean());
  writer.key("unreadable").integer(audit.unreadable()).key("streams").begin_array();
  for (const StreamFinding& f : audit.findings()) {
    writer.begin_object().key("node").string(f.node).key("epoch").string(f.epoch);
    writer.key("stream").string(f.stream).key("received").integer(f.received);
    writer.key("duplicate").integer(f.duplicate).key("differing").integer(f.differing);
    writer.key("highest").integer(f.highest).key("missing").integer(f.missing);
    writer.key("explained").integer(f.explained).key("merged").integer(f.merged);
    writer.key("manifests").integer(f.manifests);
    writer.key("manifests_broken").integer(f.manifests_broken);
    writer.key("into_received").integer(f.into_received);
    writer.key("into_explained").integer(f.into_explained);
    writer.key("into_missing").integer(f.into_missing).key("vehicles");
    write_or_null(writer, f.vehicles);
    writer.key("vehicles_lost");
    write_or_null(writer, f.vehicles_lost);
    writer.key("missing_ranges").string(f.missing_ranges).end_object();
  }
  writer.end_array().end_object();
  std::puts(out.c_str());
}

// What there is to say of a stream beyond its row of the table.
std::string notes_on(const StreamFinding& f) {
  const std::string name = f.stream + " of " + f.node + "/" + f.epoch + ": ";
  std::string notes;
  if (f.missing > 0) notes += "missing: " + name + f.missing_ranges + "\n";
  if (f.merged > 0) {
    notes += "merged: " + name + std::to_string(f.merged) + " events into " +
             std::to_string(f.into_received + f.into_explained + f.into_missing) + " (" +
             std::to_string(f.into_received) + " received, " + std::to_string(f.into_explained) +
             " explained in their turn, " + std::to_string(f.into_missing) + " missing)\n";
  }
  if (f.vehicles) {
    notes += "vehicles: " + name + std::to_string(*f.vehicles) + " received, " +
             (f.vehicles_lost ? std::to_string(*f.vehicles_lost) : "an unknown number") +
             " in gap records\n";
  }
  return notes;
}

void print_text(const Audit& audit) {
  shell::TextTable table({"node", "epoch", "stream", "received", "duplicate", "differing",
                          "missing", "explained", "merged", "manifests", "broken"});
  std::string notes;
  for (const StreamFinding& f : audit.findings()) {
    table.add({f.node, f.epoch, f.stream, std::to_string(f.received), std::to_string(f.duplicate),
               std::to_string(f.differing), std::to_string(f.missing), std::to_string(f.explained),
               std::to_string(f.merged), std::to_string(f.manifests),
               std::to_string(f.manifests_broken)});
    notes += notes_on(f);
  }
  if (!table.empty()) std::fputs(table.text().c_str(), stdout);
  std::fputs(notes.c_str(), stdout);
  if (audit.unreadable() > 0) {
    std::printf("unreadable: %lld lines are no events\n",
                static_cast<long long>(audit.unreadable()));
  }
  std::puts(audit.is_clean() ? "clean: nothing is missing unexplained, no repeat differs"
                             : "NOT clean");
}

// Lines for `berm shell` on each node; its comments say which.
void print_commands(const Audit& audit, const std::string& uplink) {
  std::string node;
  for (const auto& [of, command] : analytics::resend_commands(audit.findings(), uplink)) {
    if (of != node) std::printf("# at %s, into berm shell:\n", of.c_str());
    node = of;
    std::puts(command.c_str());
  }
}

}  // namespace

int audit_verb(Words words) {
  constexpr ArgumentSpec kSpecs[] = {{"--json"}, {"--resend"}, {"--uplink", true}};
  const auto arguments = Arguments::parse(words, kSpecs, kMaxFiles);
  if (!arguments) return complain("audit", arguments.error().text, kBadUsage);
  const std::string uplink = arguments->value("--uplink").value_or("");
  Audit audit(uplink);
  std::ios::sync_with_stdio(false);
  if (arguments->plain().empty()) read_stream(std::cin, audit);
  for (const std::string& name : arguments->plain()) {
    std::ifstream file(name);
    if (!file) return complain("audit", "cannot open " + name, kBadUsage);
    read_stream(file, audit);
  }
  if (arguments->has("--resend")) {
    print_commands(audit, uplink);
  } else if (arguments->has("--json")) {
    print_json(audit);
  } else {
    print_text(audit);
  }
  return audit.is_clean() ? kDone : kFailed;
}

}  // namespace berm::agent
