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
    writer.key("manifests")
        .integer(f.manifests)
        .key("manifests_broken")
        .integer(f.manifests_broken);
    writer.key("missing_ranges").string(f.missing_ranges).end_object();
  }
  writer.end_array().end_object();
  std::puts(out.c_str());
}

void print_text(const Audit& audit) {
  shell::TextTable table({"node", "epoch", "stream", "received", "duplicate", "differing",
                          "missing", "explained", "merged", "broken manifests"});
  std::string holes;
  for (const StreamFinding& f : audit.findings()) {
    table.add({f.node, f.epoch, f.stream, std::to_string(f.received), std::to_string(f.duplicate),
               std::to_string(f.differing), std::to_string(f.missing), std::to_string(f.explained),
               std::to_string(f.merged), std::to_string(f.manifests_broken)});
    if (f.missing > 0)
      holes +=
          "missing: " + f.stream + " of " + f.node + "/" + f.epoch + ": " + f.missing_ranges + "\n";
  }
  if (!table.empty()) std::fputs(table.text().c_str(), stdout);
  std::fputs(holes.c_str(), stdout);
  if (audit.unreadable() > 0) {
    std::printf("unreadable: %lld lines are no events\n",
                static_cast<long long>(audit.unreadable()));
  }
  std::puts(audit.is_clean() ? "clean: nothing is missing unexplained, no repeat differs"
                             : "NOT clean");
}

}  // namespace

int audit_verb(Words words) {
  constexpr ArgumentSpec kSpecs[] = {{"--json"}};
  const auto arguments = Arguments::parse(words, kSpecs, kMaxFiles);
  if (!arguments) return complain("audit", arguments.error().text, kBadUsage);
  Audit audit;
  std::ios::sync_with_stdio(false);
  if (arguments->plain().empty()) read_stream(std::cin, audit);
  for (const std::string& name : arguments->plain()) {
    std::ifstream file(name);
    if (!file) return complain("audit", "cannot open " + name, kBadUsage);
    read_stream(file, audit);
  }
  if (arguments->has("--json")) {
    print_json(audit);
  } else {
    print_text(audit);
  }
  return audit.is_clean() ? kDone : kFailed;
}

}  // namespace berm::agent
