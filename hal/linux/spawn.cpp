// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/spawn.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "hal/base/unique_fd.hpp"

namespace berm::hal {
namespace {

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become(char* const* words, const SpawnPlan& plan, int report, pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::signal(signal, SIG_DFL);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(plan.input >= 0 ? plan.input : nothing, 0);
  ::dup2(plan.output >= 0 ? plan.output : nothing, 1);
  if (plan.error >= 0) ::dup2(plan.error, 2);
  // All others close by themselves (O_CLOEXEC), but not every library sets it.
  ::close_range(3, static_cast<unsigned>(report) - 1, 0);
  ::close_range(static_cast<unsigned>(report) + 1, ~0u, 0);
  if (plan.memory_bytes > 0) {
    const rlimit limit{plan.memory_bytes, plan.memory_bytes};
    ::setrlimit(RLIMIT_DATA, &limit);
  }
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (plan.nice != 0) ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + plan.nice);
  ::execvp(words[0], words);
  const int number = errno;
  static_cast<void>(!::write(report, &number, sizeof number));
  ::_exit(127);
}

}  // namespace

Result<pid_t> spawn(const SpawnPlan& plan) {
  if (plan.words.empty()) return fail(ErrorCode::invalid, "no program is named");
  std::vector<char*> words;
  for (const std::string& word : plan.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("starting a program", errno));
  UniqueFd from_child(ends[0]);
  // Above the standard three, whatever of them is closed here.
  UniqueFd to_parent(::fcntl(ends[1], F_DUPFD_CLOEXEC, 10));
  ::close(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail(system_error("starting " + plan.words[0], errno));
  if (child == 0) become(words.data(), plan, to_parent.get(), parent);
  to_parent.reset();
  int number = 0;
  ssize_t got = -1;
  do {
    got = ::read(from_child.get(), &number, sizeof number);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof number)) return child;
  ::waitpid(child, nullptr, 0);
  return fail(system_error("starting " + plan.words[0], number));
}

}  // namespace berm::hal
