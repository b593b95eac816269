// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/board.hpp"

#include <filesystem>

#include "hal/base/json.hpp"

namespace berm::agent {
namespace {

constexpr std::size_t kMaxBoardBytes = 65536;

Result<Connector> read_connector(const std::string& name, const Json& value) {
  const Json* chip = value.find("chip");
  const Json* line = value.find("line");
  if (chip == nullptr || !chip->is_string() || line == nullptr || !line->is_integer() ||
      line->integer() < 0) {
    return fail(ErrorCode::invalid, "connector " + name + " needs a chip (text) and a line (0…)");
  }
  return Connector{chip->string(), static_cast<std::uint32_t>(line->integer())};
}

Result<Board> read_board(const Json& document, const std::string& name) {
  Board board;
  board.name = name;
  const Json* clock = document.find("clock");
  board.is_rtc_trusted = clock != nullptr && clock->is_string() && clock->string() == "rtc";
  const Json* connectors = document.find("connectors");
  if (connectors == nullptr || !connectors->is_object()) return board;
  for (const auto& [connector, value] : connectors->object()) {
    BERM_TRY(Connector read, read_connector(connector, value));
    board.connectors.emplace(connector, std::move(read));
  }
  return board;
}

}  // namespace

Result<Board> load_board(const hal::Disk& disk, const std::string& directory,
                         const std::string& name) {
  const std::string path = directory + "/" + name + "/board.json";
  auto text = disk.read(path, kMaxBoardBytes);
  if (!text) {
    std::string known;
    if (const auto names = disk.list(directory)) {
      for (const std::string& each : *names) known += (known.empty() ? "" : ", ") + each;
    }
    return fail(ErrorCode::not_found,
                "no board '" + name + "' in " + directory + " (there are: " + known + ")");
  }
  auto document = Json::parse(*text, {.max_bytes = kMaxBoardBytes, .comments = true});
  if (!document) return fail(std::move(document.error()).with_context(path));
  return read_board(*document, name);
}

std::string default_boards_directory() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "/usr/share/berm/boards";
  return (program.parent_path().parent_path() / "share" / "berm" / "boards").string();
}

}  // namespace berm::agent
