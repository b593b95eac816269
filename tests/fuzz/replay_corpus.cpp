// SPDX-License-Identifier: Apache-2.0
// Stands in for libFuzzer in ordinary builds: main() feeds every corpus file, prefixes of it and
// one-byte changes of it (fixed seed, so every run is the same) to LLVMFuzzerTestOneInput. Bounded:
// at most kMaxPrefixes prefixes and kMutations changes a file. A target that finds fault aborts.
// Usage: TARGET FOLDER…; exit 0, or 1 where a folder holds no file.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t kMaxPrefixes = 400;
constexpr std::size_t kMutations = 400;
constexpr std::uint64_t kSeed = 20260401;

// A heap copy of the exact size, so that a sanitizer sees a read beyond the end.
void feed(const std::uint8_t* bytes, std::size_t size) {
  const Bytes exact(bytes, bytes + size);
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void replay(const Bytes& file) {
  feed(file.data(), file.size());
  const std::size_t step = std::max<std::size_t>(1, file.size() / kMaxPrefixes);
  for (std::size_t size = 0; size < file.size(); size += step) feed(file.data(), size);
  if (file.empty()) return;
  std::mt19937_64 random(kSeed);
  Bytes changed = file;
  for (std::size_t i = 0; i < kMutations; ++i) {
    const std::size_t at = static_cast<std::size_t>(random() % file.size());
    changed[at] = static_cast<std::uint8_t>(random());
    feed(changed.data(), changed.size());
    changed[at] = file[at];
  }
}

std::vector<std::filesystem::path> files_in(const char* folder) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const auto files = files_in(arguments[i]);
    if (files.empty()) {
      std::fprintf(stderr, "%s: no corpus\n", arguments[i]);
      return 1;
    }
    for (const auto& path : files) {
      std::ifstream stream(path, std::ios::binary);
      replay(Bytes(std::istreambuf_iterator<char>(stream), {}));
    }
    std::printf("%s: %zu files\n", arguments[i], files.size());
  }
  return 0;
}
