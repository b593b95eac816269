// SPDX-License-Identifier: Apache-2.0
// Session: one connection of the shell server, and what of its requests is not answered yet. Lives
// as long as the connection's callbacks; replies that are still under way only know it weakly. Loop
// thread only. Bounds: see ShellServer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/command.hpp"
#include "hal/loop.hpp"
#include "hal/stream_listener.hpp"

namespace berm::shell {

class Session final : public std::enable_shared_from_this<Session> {
 public:
  using Commands = std::function<std::vector<Command>()>;
  Session(hal::Loop& loop, hal::StreamConnection& connection, const Commands& commands)
      : loop_(loop), connection_(&connection), commands_(commands) {}

  void take(std::string_view bytes);
  void gone() { connection_ = nullptr; }
  // Answers what is there until one takes its time, or is not read, or the loop is to have its
  // turn.
  void work();

  // For the reply of request `number`: nothing is taken for an earlier one.
  bool is_waiting_for(std::uint64_t number) const;
  std::size_t unsent_bytes() const;
  void send_more(std::string_view text);
  void finish(const CommandAnswer& answer);

 private:
  bool may_answer() const;
  void work_soon();
  void answer(std::string_view line);
  void run(std::string_view line);

  hal::Loop& loop_;
  hal::StreamConnection* connection_;  // null: who asked has gone
  const Commands commands_;
  std::string waiting_;       // requests, the last perhaps not yet whole
  std::uint64_t number_ = 0;  // of the request under way or answered last
  bool is_answering_ = false;
  bool is_working_ = false;
  bool is_due_ = false;  // `work` is posted
};

}  // namespace berm::shell
