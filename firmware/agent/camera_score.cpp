// SPDX-License-Identifier: Apache-2.0
// berm-camera score: counts the films of a truth table and prints how well, in one table. The truth
// is CSV: file, line_y, x0, x1, zone (away, toward, both), complete, partial_start, partial_end,
// crossing_frames (numbers with spaces between; letters behind a number are notes).
#include <sys/resource.h>

#include <charconv>
#include <cstdio>

#include "drivers/camera_counter/match.hpp"
#include "firmware/agent/arguments.hpp"
#include "firmware/agent/camera_verbs.hpp"
#include "firmware/agent/film_count.hpp"
#include "hal/base/json_writer.hpp"
#include "hal/linux/disk.hpp"

namespace berm::agent {
namespace {

using namespace drivers::camera_counter;

constexpr std::size_t kMaxTruth = 1u << 20;
constexpr double kToleranceS = 0.5;

struct TruthRow {
  std::string film, zone;
  CameraLane lane;
  std::vector<double> frames;
};

struct Scored {
  std::string film, zone;
  Agreement agreement;
  double effectiveness = 0.0;
  double ms_per_frame = 0.0;
  double taken_s = 0.0, film_s = 0.0;
};

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

double number_of(std::string_view text) {
  double value = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<TruthRow> row_of(std::string_view line) {
  const std::vector<std::string_view> cells = split(line, ',');
  if (cells.size() != 9) return fail(ErrorCode::invalid, "a row of the truth has not 9 columns");
  TruthRow row;
  row.film = cells[0];
  row.zone = cells[4];
  const double y = number_of(cells[1]);
  row.lane.name = row.zone;
  row.lane.line.from = {number_of(cells[2]), y};
  row.lane.line.to = {number_of(cells[3]), y};
  row.lane.line.direction = row.zone == "away"     ? Direction::up
                            : row.zone == "toward" ? Direction::down
                                                   : Direction::both;
  for (const std::string_view frame : split(cells[8], ' ')) {
    if (!frame.empty()) row.frames.push_back(number_of(frame));
  }
  return row;
}

Result<std::vector<TruthRow>> read_truth(const std::string& file) {
  const hal::SystemDisk disk;
  BERM_TRY(const std::string text, disk.read(file, kMaxTruth));
  std::vector<TruthRow> rows;
  bool is_first = true;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (!is_first) {
      BERM_TRY(TruthRow row, row_of(line));
      rows.push_back(std::move(row));
    }
    is_first = false;
  }
  if (rows.empty()) return fail(ErrorCode::invalid, file + " has no rows");
  return rows;
}

Result<Scored> score(const TruthRow& row, const std::string& directory) {
  std::vector<double> counted;
  double rate = 25.0;
  const auto cost = count_film({row.lane}, directory + "/" + row.film, [&](const FilmPassage& one) {
    counted.push_back(one.passage.frame);
  });
  if (!cost) return fail(Error(cost.error()).with_context(row.film));
  rate = cost->rate;
  const auto frames = static_cast<double>(cost->frames);
  Scored scored{row.film, row.zone, agree(counted, row.frames, kToleranceS * rate), 0, 0, 0, 0};
  scored.effectiveness = effectiveness(counted, row.frames, frames);
  scored.taken_s = cost->count_cpu_s;
  scored.film_s = frames / rate;
  scored.ms_per_frame = frames > 0 ? 1e3 * cost->count_cpu_s / frames : 0.0;
  return scored;
}

// Σ|error| of a set of rows.
int errors_of(const std::vector<Scored>& rows) {
  int sum = 0;
  for (const Scored& row : rows) sum += std::abs(row.agreement.counted - row.agreement.truth);
  return sum;
}

Scored sum_of(const std::vector<Scored>& rows) {
  Scored all{"all", "", {}, 0, 0, 0, 0};
  double ms = 0.0;
  for (const Scored& row : rows) {
    all.agreement += row.agreement;
    all.effectiveness += row.effectiveness * row.agreement.truth;
    all.taken_s += row.taken_s;
    all.film_s += row.film_s;
    ms += row.ms_per_frame * row.film_s;
  }
  if (all.agreement.truth > 0) all.effectiveness /= all.agreement.truth;
  all.ms_per_frame = all.film_s > 0 ? ms / all.film_s : 0.0;
  return all;
}

double s1_of(const Scored& row) {
  return 0.3 * efficiency(row.taken_s, row.film_s) + 0.7 * row.effectiveness;
}

void print_row(const Scored& row, int error) {
  const Agreement& a = row.agreement;
  std::printf("%-32s %-7s %5d %7d %5d %9.3f %6.3f %6.3f %7d %8.3f %6.3f\n", row.film.c_str(),
              row.zone.c_str(), a.truth, a.counted, a.right, a.precision(), a.recall(), a.f1(),
              error, row.ms_per_frame, s1_of(row));
}

void print_json(const Scored& row, int error) {
  std::string text;
  JsonWriter writer(text);
  const Agreement& a = row.agreement;
  writer.begin_object();
  writer.key("file").string(row.film).key("zone").string(row.zone);
  writer.key("truth").integer(a.truth).key("counted").integer(a.counted);
  writer.key("right").integer(a.right).key("precision").number(a.precision(), 4);
  writer.key("recall").number(a.recall(), 4).key("f1").number(a.f1(), 4);
  writer.key("error").integer(error).key("ms_per_frame").number(row.ms_per_frame, 4);
  writer.key("s1").number(s1_of(row), 4);
  writer.end_object();
  std::printf("%s\n", text.c_str());
}

long peak_kb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

int camera_score_verb(Words words) {
  constexpr ArgumentSpec kSpecs[] = {{"--truth", true}, {"--json"}};
  const auto arguments = Arguments::parse(words, kSpecs, 1);
  if (!arguments) return complain_camera("score", arguments.error().text, kBadUsage);
  const auto truth = arguments->value("--truth");
  if (!truth || arguments->plain().empty()) {
    return complain_camera("score", "usage: berm-camera score --truth TRUTH.csv [--json] DIR",
                           kBadUsage);
  }
  const auto rows = read_truth(*truth);
  if (!rows) return complain_camera("score", rows.error().text, kBadUsage);
  const bool is_json = arguments->has("--json");
  if (!is_json) {
    std::printf("%-32s %-7s %5s %7s %5s %9s %6s %6s %7s %8s %6s\n", "film", "zone", "truth",
                "counted", "right", "precision", "recall", "F1", "|error|", "ms/frame", "S1");
  }
  const auto print = is_json ? print_json : print_row;
  std::vector<Scored> scored;
  for (const TruthRow& row : *rows) {
    const auto one = score(row, arguments->plain()[0]);
    if (!one) return complain_camera("score", one.error().text, kFailed);
    scored.push_back(*one);
    print(*one, std::abs(one->agreement.counted - one->agreement.truth));
  }
  print(sum_of(scored), errors_of(scored));
  if (!is_json) std::printf("peak memory %.1f MB\n", static_cast<double>(peak_kb()) / 1024.0);
  return kDone;
}

}  // namespace berm::agent
