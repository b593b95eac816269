// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/child_process.hpp"

#include "hal/base/line_splitter.hpp"

namespace berm::hal {

// What waits in the loop holds this weakly: a child that was ended says nothing more.
struct PlayedProcess::Talk {
  OnLine on_line;
  OnEnd on_end;
  LineSplitter splitter{kMaxChildLine};
  bool is_ended = false;
};

std::unique_ptr<ChildProcess> PlayedProcesses::make(ChildPlan plan) {
  return std::make_unique<PlayedProcess>(*this, std::move(plan));
}

PlayedProcess::PlayedProcess(PlayedProcesses& family, ChildPlan plan)
    : family_(family), plan_(std::move(plan)) {
  family_.last_ = this;
}

PlayedProcess::~PlayedProcess() {
  end();
  if (family_.last_ == this) family_.last_ = nullptr;
}

Result<void> PlayedProcess::start(OnLine on_line, OnEnd on_end) {
  if (family_.refusals_ > 0) {
    --family_.refusals_;
    return fail(ErrorCode::not_found, "starting " + plan_.words.at(0) + ": no such file");
  }
  talk_ = std::make_shared<Talk>();
  talk_->on_line = std::move(on_line);
  talk_->on_end = std::move(on_end);
  is_running_ = true;
  ++family_.started_;
  return {};
}

void PlayedProcess::say(std::string bytes) {
  family_.loop_.post([weak = std::weak_ptr<Talk>(talk_), bytes = std::move(bytes)] {
    const auto talk = weak.lock();
    if (!talk) return;
    talk->splitter.feed(bytes, [&](std::string_view line, bool is_whole) {
      if (!talk->is_ended) talk->on_line(line, is_whole);
    });
  });
}

void PlayedProcess::finish(std::string how) {
  family_.loop_.post([this, weak = std::weak_ptr<Talk>(talk_), how = std::move(how)] {
    const auto talk = weak.lock();
    if (!talk || talk->is_ended) return;
    is_running_ = false;
    talk->is_ended = true;
    const OnEnd told = talk->on_end;
    told(how);
  });
}

void PlayedProcess::end() {
  is_running_ = false;
  if (talk_) talk_->is_ended = true;
  talk_.reset();
}

}  // namespace berm::hal
