// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/session.hpp"

#include <utility>

#include "firmware/shell/command_line.hpp"

namespace berm::shell {
namespace {

class SessionReply final : public CommandReply {
 public:
  SessionReply(std::weak_ptr<Session> session, std::uint64_t number)
      : session_(std::move(session)), number_(number) {}

  bool is_open() const override { return asker() != nullptr; }
  std::size_t unsent_bytes() const override {
    const auto session = asker();
    return session == nullptr ? 0 : session->unsent_bytes();
  }
  void more(std::string_view text) override {
    if (const auto session = asker()) session->send_more(text);
  }
  void end(CommandAnswer answer) override {
    if (const auto session = asker()) session->finish(answer);
  }

 private:
  std::shared_ptr<Session> asker() const {
    auto session = session_.lock();
    return session != nullptr && session->is_waiting_for(number_) ? session : nullptr;
  }
  const std::weak_ptr<Session> session_;
  const std::uint64_t number_;
};

}  // namespace

void Session::take(std::string_view bytes) {
  waiting_.append(bytes);
  work();
  if (waiting_.size() <= kMaxRequestBytes || connection_ == nullptr) return;
  connection_->send(format_answer({2, "the request is too long\n"}));
  connection_->close_after_sending();
  waiting_ = {};
}

bool Session::may_answer() const {
  return connection_ != nullptr && !is_answering_ && connection_->unsent_bytes() <= kMaxUnsentBytes;
}

void Session::work() {
  if (is_working_) return;
  const auto keep = shared_from_this();
  is_working_ = true;
  std::size_t begin = 0;
  auto end = waiting_.find('\n');
  for (int i = 0; i < kMaxAnswersPerTurn && end != std::string::npos && may_answer(); ++i) {
    answer(std::string_view(waiting_).substr(begin, end - begin));
    begin = end + 1;
    end = waiting_.find('\n', begin);
  }
  waiting_.erase(0, begin);
  if (waiting_.empty()) waiting_.shrink_to_fit();
  is_working_ = false;
  if (end != std::string::npos && may_answer()) work_soon();
}

void Session::work_soon() {
  if (std::exchange(is_due_, true)) return;
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->is_due_ = false;
    self->work();
  });
}

void Session::answer(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  ++number_;
  is_answering_ = true;
  if (line.size() > kMaxRequestBytes) return finish({2, "the request is too long\n"});
  run(line);
}

void Session::run(std::string_view line) {
  auto words = split_words(line);
  if (!words) return finish({2, words.error().text + "\n"});
  const std::vector<Command> commands = commands_();
  const Selection chosen =
      select_command(commands, std::move(*words), connection_->peer().is_admin);
  if (chosen.command == nullptr) return finish(chosen.answer);
  if (!chosen.command->run_later) return finish(chosen.command->run(chosen.request));
  chosen.command->run_later(chosen.request,
                            std::make_shared<SessionReply>(weak_from_this(), number_));
}

bool Session::is_waiting_for(std::uint64_t number) const {
  return connection_ != nullptr && is_answering_ && number == number_;
}

std::size_t Session::unsent_bytes() const {
  return connection_->unsent_bytes();
}

void Session::send_more(std::string_view text) {
  connection_->send(format_more(text));
}

void Session::finish(const CommandAnswer& answer) {
  is_answering_ = false;
  connection_->send(format_answer(answer));
  work();  // those that waited for this one
}

}  // namespace berm::shell
