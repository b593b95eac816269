// SPDX-License-Identifier: Apache-2.0
// Exports: the shell's `export`: what the running outbox keeps, as event lines, to whoever asks.
// A part is read when the one before has been taken, so nobody's slowness costs memory, and the
// outbox does its other work in between. At most kMaxExports at once. Its last line on the way is
// an answer whose text says what could not be written; exit code 0. Loop thread only. Lifetime: the
// outbox outlives it.
#pragma once

#include <list>
#include <memory>

#include "firmware/outbox/outbox.hpp"
#include "hal/base/command.hpp"
#include "hal/loop.hpp"

namespace berm::agent {

inline constexpr std::size_t kMaxExports = 4;
inline constexpr std::size_t kMaxExportUnsentBytes = 65536;
inline constexpr Milliseconds kExportPause{20};  // until who asked has read on

// "STREAM [SINCE]" as the verb and the shell take them. SINCE is ISO 8601 or seconds since 1970.
// Error invalid: it is neither.
Result<outbox::ExportFilter> export_filter(std::string_view stream, std::string_view since);
// What is to be said at the end; empty: everything was written.
std::string export_remarks(std::int64_t unsettled, std::int64_t unreadable);

class Exports {
 public:
  Exports(hal::Loop& loop, outbox::Outbox& outbox) : loop_(loop), outbox_(outbox) {}
  void add(const CommandRequest& request, std::shared_ptr<CommandReply> reply);

 private:
  struct Session {
    Session(hal::Loop& loop, outbox::ExportFilter wanted, std::shared_ptr<CommandReply> to)
        : filter(std::move(wanted)), reply(std::move(to)), pause(loop) {}
    outbox::ExportFilter filter;
    std::shared_ptr<CommandReply> reply;
    outbox::ExportPlace place;
    hal::Timer pause;
  };
  using Place = std::list<Session>::iterator;
  void go_on(Place session);
  void take(Place session, const Result<outbox::ExportPart>& part);

  hal::Loop& loop_;
  outbox::Outbox& outbox_;
  std::list<Session> sessions_;
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // watched by what comes late
};

}  // namespace berm::agent
