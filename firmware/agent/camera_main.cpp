// SPDX-License-Identifier: Apache-2.0
// berm-camera: the camera worker and its tools. What each verb does: camera_verbs.hpp.
#include <malloc.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "firmware/agent/camera_verbs.hpp"
#include "firmware/agent/version.hpp"
#include "hal/linux/disk.hpp"

namespace berm::agent {
namespace {

constexpr std::size_t kMaxDocument = 1u << 20;

struct Verb {
  std::string_view name, usage, help;
  int (*run)(Words words);
};

constexpr std::array kVerbs{
    Verb{"count", "count --config FILE [--driver NAME] --source VIDEO --json",
         "counts a film, one line per passage", camera_count_verb},
    Verb{"score", "score --truth TRUTH.csv [--json] DIR",
         "counts the films of a table and says how well", camera_score_verb},
    Verb{"work", "work", "the agent's worker: options on standard input, lines on standard output",
         camera_work_verb},
};

void print_usage(std::FILE* out) {
  std::fprintf(out, "berm-camera %s: counts what a camera sees\n\n", kVersion);
  for (const Verb& verb : kVerbs) {
    std::fprintf(out, "  berm-camera %-56s %s\n", std::string(verb.usage).c_str(),
                 std::string(verb.help).c_str());
  }
}

int main_with(const std::vector<std::string_view>& words) {
  if (words.empty()) {
    print_usage(stderr);
    return kBadUsage;
  }
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    print_usage(stdout);
    return kDone;
  }
  if (words[0] == "version" || words[0] == "--version") {
    std::printf("berm-camera %s\n", kVersion);
    return kDone;
  }
  for (const Verb& verb : kVerbs) {
    if (verb.name == words[0]) return verb.run(Words(words).subspan(1));
  }
  std::fprintf(stderr, "berm-camera: unknown verb '%s'; try berm-camera help\n",
               std::string(words[0]).c_str());
  return kBadUsage;
}

Result<const Json*> find_camera(const Json& document, const std::string& driver) {
  const Json* const all = document.find("drivers");
  if (all == nullptr || !all->is_object()) {
    return fail(ErrorCode::invalid, "/drivers: must be an object");
  }
  const Json* found = nullptr;
  for (const auto& [name, entry] : all->object()) {
    const Json* const kind = entry.find("driver");
    if (kind == nullptr || !kind->is_string() || kind->string() != "camera_counter") continue;
    if (!driver.empty() && name != driver) continue;
    if (found != nullptr) {
      return fail(ErrorCode::invalid, "/drivers: has several camera_counters; say --driver NAME");
    }
    found = &entry;
  }
  if (found == nullptr) {
    return fail(ErrorCode::invalid, driver.empty() ? "/drivers: has no camera_counter"
                                                   : "/drivers: has no camera_counter " + driver);
  }
  return found;
}

}  // namespace

int complain_camera(std::string_view verb, std::string_view text, int code) {
  std::fprintf(stderr, "berm-camera %s: %s\n", std::string(verb).c_str(),
               std::string(text).c_str());
  return code;
}

Result<drivers::camera_counter::CounterOptions> read_camera(const std::string& file,
                                                            const std::string& driver) {
  using namespace drivers::camera_counter;
  const hal::SystemDisk disk;
  BERM_TRY(const std::string text, disk.read(file, kMaxDocument));
  auto document = Json::parse(text, {.max_bytes = kMaxDocument, .comments = true});
  if (!document) return fail(std::move(document.error()).with_context(file));
  BERM_TRY(const Json* const entry, find_camera(*document, driver));
  Json own = *entry;
  std::erase_if(own.object(), [](const Json::Member& member) { return member.first == "driver"; });
  return parse_camera(own, file);
}

Result<drivers::camera_counter::CounterOptions> parse_camera(const Json& own,
                                                             const std::string& name) {
  using namespace drivers::camera_counter;
  std::vector<OptionFault> faults;
  const Options options = parse_options(kOptions, own, "/drivers/camera", faults);
  check(options, "/drivers/camera", faults);
  faults = without_consequences(std::move(faults));
  if (!faults.empty()) {
    return fail(ErrorCode::invalid, name + ":" + faults.front().path + ": " + faults.front().text);
  }
  return counter_options(options);
}

}  // namespace berm::agent

int main(int count, char** words) {
  ::mallopt(M_ARENA_MAX, 1);
  return berm::agent::main_with({words + 1, words + count});
}
