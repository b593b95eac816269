// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/child_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "hal/base/assert.hpp"
#include "hal/base/line_splitter.hpp"
#include "hal/base/unique_fd.hpp"
#include "hal/linux/spawn.hpp"

namespace berm::hal {
namespace {

constexpr std::size_t kMaxPath = 4096;

// A name without slash lies beside our own program.
std::string beside_us(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  char path[kMaxPath];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0) return name;
  const std::string own(path, static_cast<std::size_t>(size));
  return own.substr(0, own.rfind('/') + 1) + name;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  return "ended with " + std::to_string(WEXITSTATUS(status));
}

class SpawnedProcess final : public ChildProcess {
 public:
  SpawnedProcess(EpollLoop& loop, ChildPlan plan) : loop_(loop), plan_(std::move(plan)) {}
  ~SpawnedProcess() override { end(); }

  Result<void> start(OnLine on_line, OnEnd on_end) override;
  void end() override;
  bool is_running() const override { return pid_ > 0; }
  std::int64_t pid() const override { return pid_ > 0 ? pid_ : 0; }

 private:
  void read();
  void finish();
  int reap();

  EpollLoop& loop_;
  ChildPlan plan_;
  OnLine on_line_;
  OnEnd on_end_;
  UniqueFd output_;
  FdWatch watch_;
  LineSplitter splitter_{kMaxChildLine};
  pid_t pid_ = -1;
};

Result<void> SpawnedProcess::start(OnLine on_line, OnEnd on_end) {
  BERM_ASSERT(pid_ < 0 && !plan_.words.empty() && plan_.input.size() <= kMaxChildInput);
  on_line_ = std::move(on_line);
  on_end_ = std::move(on_end);
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0) return fail(system_error("starting a child", errno));
  const UniqueFd child_input(in[0]);
  UniqueFd input(in[1]);
  if (::pipe2(out, O_CLOEXEC) != 0) return fail(system_error("starting a child", errno));
  output_.reset(out[0]);
  const UniqueFd child_output(out[1]);
  // A pipe holds 64 kB: this never waits.
  const ssize_t wrote = ::write(input.get(), plan_.input.data(), plan_.input.size());
  if (wrote != static_cast<ssize_t>(plan_.input.size())) {
    return fail(system_error("starting a child", errno));
  }
  input.reset();
  SpawnPlan spawned;
  spawned.words = plan_.words;
  spawned.words[0] = beside_us(spawned.words[0]);
  spawned.input = child_input.get();
  spawned.output = child_output.get();
  spawned.memory_bytes = plan_.memory_bytes;
  spawned.nice = plan_.nice;
  BERM_TRY(pid_, spawn(spawned));
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  watch_ = loop_.watch(output_.get(), {.read = true}, [this](FdEvents) { read(); });
  return {};
}

void SpawnedProcess::read() {
  char bytes[kMaxChildTurnBytes / 8];
  const pid_t child = pid_;
  for (int turn = 0; turn < 8; ++turn) {
    const ssize_t got = ::read(output_.get(), bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return finish();
    splitter_.feed({bytes, static_cast<std::size_t>(got)},
                   [&](std::string_view line, bool is_whole) {
                     // The listener may have ended us: nothing more is said then.
                     if (pid_ == child && pid_ > 0) on_line_(line, is_whole);
                   });
    if (pid_ != child || pid_ < 0) return;
  }
}

int SpawnedProcess::reap() {
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

// Its output is over: whatever it still does, it does no longer for us.
void SpawnedProcess::finish() {
  watch_.reset();
  output_.reset();
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) {
    ::kill(-pid_, SIGKILL);  // what it may have started
    pid_ = -1;
  } else {
    status = reap();
  }
  const OnEnd told = std::move(on_end_);
  told(how_it_ended(status));
}

void SpawnedProcess::end() {
  watch_.reset();
  output_.reset();
  if (pid_ > 0) reap();
}

}  // namespace

std::unique_ptr<ChildProcess> SpawnedProcesses::make(ChildPlan plan) {
  return std::make_unique<SpawnedProcess>(loop_, std::move(plan));
}

}  // namespace berm::hal
