// SPDX-License-Identifier: Apache-2.0
// A child process of a contract test: its stdout is read in lines, its stdin ends with the object,
// which kills and reaps it.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "hal/base/unique_fd.hpp"

extern char** environ;

namespace berm::hal::contract {

class Child {
 public:
  explicit Child(std::vector<std::string> words) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) return;
    in_.reset(in[1]);
    out_.reset(out[0]);
    const UniqueFd child_in(in[0]);
    const UniqueFd child_out(out[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, child_in.get(), 0);
    ::posix_spawn_file_actions_adddup2(&actions, child_out.get(), 1);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) {
      pid_ = -1;
    }
    ::posix_spawn_file_actions_destroy(&actions);
    ::fcntl(out_.get(), F_SETFL, O_NONBLOCK);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { kill(); }

  bool is_running() const { return pid_ > 0; }
  void signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
  }
  void kill() {
    signal(SIGKILL);
    wait();
  }
  // The exit code; −1: killed or never started.
  int wait() {
    if (pid_ <= 0) return -1;
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // All lines so far.
  const std::vector<std::string>& lines() {
    std::array<char, 4096> piece{};
    for (ssize_t got = 0; (got = ::read(out_.get(), piece.data(), piece.size())) > 0;) {
      text_.append(piece.data(), static_cast<std::size_t>(got));
    }
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      lines_.push_back(text_.substr(0, end));
      text_.erase(0, end + 1);
    }
    return lines_;
  }
  // Waits for the first line, at most 10 s.
  std::string first_line() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (lines().empty() && std::chrono::steady_clock::now() < limit) {
      pollfd waiting{out_.get(), POLLIN, 0};
      ::poll(&waiting, 1, 100);
    }
    return lines_.empty() ? std::string() : lines_.front();
  }

 private:
  pid_t pid_ = -1;
  UniqueFd in_;
  UniqueFd out_;
  std::string text_;
  std::vector<std::string> lines_;
};

}  // namespace berm::hal::contract
