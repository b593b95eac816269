// SPDX-License-Identifier: Apache-2.0
// simulate: lives whole lives from seeds, one process per core, and says which did not hold.
//   --seeds A..B  --days D  [--jobs N] [--keep FOLDER]   many; failing seeds are kept in FOLDER
//   --fresh N     --days D                               N seeds nobody has tried, printed
//   --seed S      --days D  [--faults] [--lines STREAM]  one, in this process
//   --replay FOLDER                                      every seed kept there
//   --documents (configurations come over the broker, good and bad)
//   --quiet (nothing goes wrong), --vehicles 0|1, --log  (measuring, looking)
// Exit: 0 all held, 1 one did not, 2 usage.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hal/base/log.hpp"
#include "hal/base/text.hpp"
#include "tests/scenario/life.hpp"

namespace berm::scenario {
namespace {

constexpr const char* kUsage =
    "usage: simulate --seeds A..B | --fresh N | --seed S | --replay FOLDER  [--days D] [--jobs N]\n"
    "                [--keep FOLDER] [--faults] [--quiet] [--documents] [--vehicles 0|1] [--log]\n"
    "                [--lines STREAM]\n";
constexpr int kBarWidth = 30;
constexpr std::uint64_t kFreshSeeds = 1'000'000'000;

struct Arguments {
  std::vector<LifeOptions> lives;
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  std::string keep;
  bool is_single = false;
  bool shows_faults = false;
  bool logs = false;
};

// What a life's process tells its parent, as lines of text.
struct Told {
  LifeOptions life;
  std::string text;
  int pipe = -1;
};

struct Totals {
  std::size_t done = 0;
  std::size_t failed = 0;
  double days = 0;
  double cpu_s = 0;
};

std::string command_of(const LifeOptions& life) {
  return text_of("toolchain/dev/simulate --seed %llu --days %g --faults",
                 static_cast<unsigned long long>(life.seed), life.days);
}

std::optional<LifeOptions> read_kept(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string word;
  LifeOptions life;
  bool has_seed = false;
  while (file >> word) {
    if (word == "seed") has_seed = static_cast<bool>(file >> life.seed);
    if (word == "days") file >> life.days;
    if (word == "#") std::getline(file, word);
  }
  return has_seed ? std::optional(life) : std::nullopt;
}

void keep_seed(const std::string& folder, const LifeOptions& life, const std::string& why) {
  if (folder.empty()) return;
  std::filesystem::create_directories(folder);
  std::ofstream file(folder + "/" + std::to_string(life.seed) + ".txt");
  file << "seed " << life.seed << "\ndays " << life.days << "\n# "
       << why.substr(0, why.find('\n')).substr(0, 300) << "\n";
}

// One word of the command line and its value; false: not understood.
class CommandLine {
 public:
  explicit CommandLine(std::vector<std::string> words) : words_(std::move(words)) {}

  bool read(Arguments& arguments) {
    LifeOptions each;
    std::vector<std::uint64_t> seeds;
    std::string replayed;
    for (; next_ < words_.size(); ++next_) {
      if (!read_word(arguments, each, seeds, replayed)) return false;
    }
    for (const std::uint64_t seed : seeds) {
      each.seed = seed;
      arguments.lives.push_back(each);
    }
    if (!replayed.empty()) add_kept(arguments, replayed);
    return !arguments.lives.empty() || !replayed.empty();
  }

 private:
  bool read_word(Arguments& arguments, LifeOptions& each, std::vector<std::uint64_t>& seeds,
                 std::string& replayed) {
    const std::string& word = words_[next_];
    if (word == "--faults") return arguments.shows_faults = true;
    if (word == "--quiet") return each.is_quiet = true;
    if (word == "--documents") return each.documents = true;
    if (word == "--log") return arguments.logs = true;
    if (++next_ >= words_.size()) return false;
    const std::string& value = words_[next_];
    if (word == "--days") return (each.days = std::atof(value.c_str())) > 0;
    if (word == "--jobs") return (arguments.jobs = static_cast<unsigned>(number(value))) > 0;
    if (word == "--vehicles") return (each.vehicles = static_cast<int>(number(value))) >= 0;
    if (word == "--lines") return !(each.kept_stream = value).empty();
    if (word == "--keep") return !(arguments.keep = value).empty();
    if (word == "--replay") return !(replayed = value).empty();
    if (word == "--seed") return arguments.is_single = true, seeds.push_back(number(value)), true;
    if (word == "--seeds") return read_range(value, seeds);
    if (word == "--fresh") return draw_fresh(number(value), seeds);
    return false;
  }

  static std::uint64_t number(std::string_view text) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, parse_integer(text).value_or(0)));
  }

  static bool read_range(const std::string& text, std::vector<std::uint64_t>& seeds) {
    const std::size_t dots = text.find("..");
    if (dots == std::string::npos) return false;
    const std::uint64_t last = number(text.substr(dots + 2));
    for (std::uint64_t seed = number(text.substr(0, dots)); seed <= last; ++seed) {
      seeds.push_back(seed);
    }
    return !seeds.empty();
  }

  static bool draw_fresh(std::uint64_t count, std::vector<std::uint64_t>& seeds) {
    std::random_device device;
    const std::uint64_t first = kFreshSeeds + device() % kFreshSeeds;
    for (std::uint64_t i = 0; i < count; ++i) seeds.push_back(first + i);
    std::printf("fresh seeds %llu..%llu\n", static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(first + count - 1));
    return count > 0;
  }

  static void add_kept(Arguments& arguments, const std::string& folder) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
      if (const auto life = read_kept(entry.path())) arguments.lives.push_back(*life);
    }
  }

  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

// In the child: live, tell, end.
[[noreturn]] void live_and_tell(const LifeOptions& life, int pipe) {
  const LifeResult result = live(life);
  std::string text = text_of("cpu %.3f\n", result.cpu_s);
  for (const std::string& violation : result.violations) text += violation + "\n";
  for (std::size_t told = 0; told < text.size();) {
    const ssize_t n = write(pipe, text.data() + told, text.size() - told);
    if (n <= 0) break;
    told += static_cast<std::size_t>(n);
  }
  _exit(result.violations.empty() ? 0 : 1);
}

class Runner {
 public:
  explicit Runner(const Arguments& arguments)
      : arguments_(arguments), begin_(std::chrono::steady_clock::now()) {}

  int run() {
    while (next_ < arguments_.lives.size() || !running_.empty()) {
      while (next_ < arguments_.lives.size() && running_.size() < arguments_.jobs) start();
      listen();
      show();
    }
    show_end();
    return totals_.failed == 0 ? 0 : 1;
  }

 private:
  void start() {
    int ends[2];
    if (pipe(ends) != 0) return;
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      live_and_tell(arguments_.lives[next_], ends[1]);
    }
    close(ends[1]);
    running_[child] = {arguments_.lives[next_++], "", ends[0]};
  }

  void listen() {
    std::vector<pollfd> waiting;
    for (const auto& [child, told] : running_) waiting.push_back({told.pipe, POLLIN, 0});
    poll(waiting.data(), waiting.size(), 1000);
    std::vector<pid_t> ended;
    for (auto& [child, told] : running_) {
      const auto one = std::ranges::find(waiting, told.pipe, &pollfd::fd);
      if (one->revents == 0) continue;
      char bytes[4096];
      const ssize_t n = read(told.pipe, bytes, sizeof bytes);
      if (n > 0) told.text.append(bytes, static_cast<std::size_t>(n));
      if (n <= 0) ended.push_back(child);
    }
    for (const pid_t child : ended) finish(child);
  }

  void finish(pid_t child) {
    Told told = running_[child];
    running_.erase(child);
    close(told.pipe);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
      told.text += text_of("the process was ended by signal %d (%s)\n", WTERMSIG(status),
                           strsignal(WTERMSIG(status)));
    }
    ++totals_.done;
    totals_.days += told.life.days;
    if (told.text.starts_with("cpu ")) {
      totals_.cpu_s += std::atof(told.text.c_str() + 4);
      told.text.erase(0, told.text.find('\n') + 1);
    }
    if (status == 0) return;
    ++totals_.failed;
    clear_line();
    std::printf("seed %llu failed, again: %s\n%s", static_cast<unsigned long long>(told.life.seed),
                command_of(told.life).c_str(), told.text.c_str());
    std::fflush(stdout);
    keep_seed(arguments_.keep, told.life, told.text);
  }

  double elapsed_min() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count() / 60;
  }

  void clear_line() const {
    if (isatty(STDOUT_FILENO) != 0) std::printf("\r\033[K");
  }

  void show() {
    if (isatty(STDOUT_FILENO) == 0) return show_now_and_then();
    const auto filled = static_cast<int>(kBarWidth * totals_.done / arguments_.lives.size());
    clear_line();
    std::printf("[%.*s%*s] %zu/%zu lives, %.0f node-days/min, %zu failed", filled,
                "##############################", kBarWidth - filled, "", totals_.done,
                arguments_.lives.size(), totals_.days / std::max(1e-3, elapsed_min()),
                totals_.failed);
    std::fflush(stdout);
  }

  // In a log: a line a minute.
  void show_now_and_then() {
    if (elapsed_min() < next_line_min_) return;
    next_line_min_ = elapsed_min() + 1;
    std::printf("%zu/%zu lives, %.0f node-days/min, %zu failed\n", totals_.done,
                arguments_.lives.size(), totals_.days / elapsed_min(), totals_.failed);
    std::fflush(stdout);
  }

  void show_end() {
    clear_line();
    std::printf(
        "%zu lives, %g node-days, %zu failed, %.1f s, %.0f node-days/min, %.3f s of CPU a "
        "node-day\n",
        totals_.done, totals_.days, totals_.failed, elapsed_min() * 60,
        totals_.days / std::max(1e-3, elapsed_min()), totals_.cpu_s / std::max(1e-9, totals_.days));
  }

  const Arguments& arguments_;
  const std::chrono::steady_clock::time_point begin_;
  std::map<pid_t, Told> running_;
  std::size_t next_ = 0;
  double next_line_min_ = 1;
  Totals totals_;
};

int run_single(const Arguments& arguments) {
  const LifeOptions& life = arguments.lives.front();
  const LifeResult result = live(life);
  std::printf("seed %llu, %g days: %s\n", static_cast<unsigned long long>(life.seed), life.days,
              result.traits.c_str());
  for (const std::string& fault : result.faults) {
    if (arguments.shows_faults) std::printf("  %s\n", fault.c_str());
  }
  for (const std::string& line : result.lines) std::printf("%s\n", line.c_str());
  std::printf(
      "%lld events, %lld repeats, %lld vehicles, %lld boots, %zu faults, %.3f s of CPU a "
      "node-day\n",
      static_cast<long long>(result.events), static_cast<long long>(result.repeats),
      static_cast<long long>(result.vehicles), static_cast<long long>(result.boots),
      result.faults.size(), result.cpu_s / life.days);
  for (const std::string& violation : result.violations) std::printf("%s\n", violation.c_str());
  if (result.violations.empty()) return 0;
  std::printf("again: %s\n", command_of(life).c_str());
  keep_seed(arguments.keep, life, result.violations.front());
  return 1;
}

int main_of(std::vector<std::string> words) {
  Arguments arguments;
  if (!CommandLine(std::move(words)).read(arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (!arguments.logs) Log::set_writer([](LogLevel, std::string_view, std::string_view) {});
  if (arguments.lives.empty()) {
    std::puts("no seeds are kept there");
    return 0;
  }
  if (arguments.is_single && arguments.lives.size() == 1) return run_single(arguments);
  return Runner(arguments).run();
}

}  // namespace
}  // namespace berm::scenario

int main(int count, char** words) {
  return berm::scenario::main_of({words + 1, words + count});
}
