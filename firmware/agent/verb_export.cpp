// SPDX-License-Identifier: Apache-2.0
// `berm export`: what an outbox keeps, as JSON lines on standard output. From the state directory
// of a node that is stopped or damaged, or, with `-S`, from a running agent. 0: everything is
// there; 1: something could not be written (standard error says what), or nothing could.
#include <cstdio>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/exports.hpp"
#include "firmware/agent/shell_client.hpp"
#include "firmware/agent/verbs.hpp"
#include "firmware/outbox/export.hpp"
#include "hal/linux/disk.hpp"

namespace berm::agent {
namespace {

constexpr ArgumentSpec kSpecs[] = {
    {"--state", true}, {"--stream", true}, {"--since", true}, {"--socket", true, "-S"}};

bool write_out(std::string_view lines) {
  return std::fwrite(lines.data(), 1, lines.size(), stdout) == lines.size();
}

int ask_agent(const std::string& socket, const std::string& stream, const std::string& since) {
  hal::EpollLoop loop;
  Interrupt interrupt(loop);
  auto client = ShellClient::open(socket, loop, interrupt, kCommandTimeout);
  if (!client) return complain("export", client.error().text, kFailed);
  std::vector<std::string> words{"export", stream.empty() ? "*" : stream};
  if (!since.empty()) words.push_back(since);
  bool is_written = true;
  const auto code = client->ask(shell::join_words(words), [&](const CommandAnswer& piece, bool) {
    if (piece.exit_code == 0) {
      is_written = is_written && write_out(piece.text);
    } else {
      std::fputs(printable(piece.text).c_str(), stderr);
    }
  });
  if (!code) return complain("export", code.error().text, kFailed);
  if (!is_written || std::fflush(stdout) != 0) {
    return complain("export", "standard output takes no more", kFailed);
  }
  return *code;
}

int read_directory(const std::string& state, const outbox::ExportFilter& filter) {
  hal::SystemDisk disk;
  bool is_written = true;
  const auto summary = outbox::export_outbox(
      disk, state, filter, [&](std::string_view lines) { return is_written = write_out(lines); });
  if (!summary) {
    std::string text = summary.error().text;
    if (summary.error().code == ErrorCode::exists) {
      text += ": ask that agent, with -S SOCKET";
    }
    return complain("export", text, kFailed);
  }
  if (!is_written || std::fflush(stdout) != 0) {
    return complain("export", "standard output takes no more", kFailed);
  }
  for (const std::string& note : summary->notes) complain("export", note, kFailed);
  const std::string remarks = export_remarks(summary->unsettled, summary->unreadable);
  std::fputs(remarks.c_str(), stderr);
  return remarks.empty() ? kDone : kFailed;
}

}  // namespace

int export_verb(Words words) {
  const auto arguments = Arguments::parse(words, kSpecs, 0);
  if (!arguments) return complain("export", arguments.error().text, kBadUsage);
  const std::string stream = arguments->value("--stream").value_or("");
  const std::string since = arguments->value("--since").value_or("");
  const auto filter = export_filter(stream, since);
  if (!filter) return complain("export", filter.error().text, kBadUsage);
  if (const auto socket = arguments->value("--socket")) return ask_agent(*socket, stream, since);
  return read_directory(arguments->value("--state", "BERM_STATE", kDefaultState), *filter);
}

}  // namespace berm::agent
