// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/outbox_commands.hpp"

#include "hal/base/json_writer.hpp"
#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

using Reply = std::shared_ptr<CommandReply>;
using Listed = Result<std::vector<SetAside>>;

constexpr const char* kNone = "nothing is set aside\n";

// The one number a request may have; `otherwise` where it has none. nullopt: something else.
std::optional<std::int64_t> number_in(const CommandRequest& request,
                                      std::optional<std::int64_t> otherwise = std::nullopt) {
  if (request.words.empty()) return otherwise;
  if (request.words.size() > 1) return std::nullopt;
  const auto number = parse_integer(request.words[0]);
  return number && *number > 0 ? number : std::nullopt;
}

void append_member(std::string& text, std::string_view name, std::string_view value) {
  text += ",\"" + std::string(name) + "\":";
  append_json_string(text, value);
}

// `line` is JSON itself.
std::string as_json(const SetAside& one, bool with_line) {
  std::string text = "{\"number\":" + std::to_string(one.number);
  append_member(text, "uplink", one.uplink);
  append_member(text, "stream", one.event.stream);
  append_member(text, "epoch", one.event.epoch);
  text += ",\"seq\":" + std::to_string(one.event.seq);
  append_member(text, "reason", one.reason);
  if (with_line) text += ",\"event\":" + (one.line.empty() ? "null" : one.line);
  return text + "}";
}

std::string as_row(const SetAside& one) {
  return text_of("%6lld  %-12s %s %s/%lld: ", static_cast<long long>(one.number),
                 one.uplink.c_str(), one.event.epoch.c_str(), one.event.stream.c_str(),
                 static_cast<long long>(one.event.seq)) +
         one.reason + "\n";
}

// One more than kMaxListed was asked for, to know whether there are more.
CommandAnswer list_answer(std::vector<SetAside> shelf, bool json) {
  std::optional<std::int64_t> next;
  if (shelf.size() > kMaxListed) next = shelf[kMaxListed].number;
  if (next) shelf.resize(kMaxListed);
  std::string text = json ? "[" : "";
  for (const SetAside& one : shelf) {
    if (json && text.size() > 1) text += ",";
    text += json ? as_json(one, false) : as_row(one);
  }
  if (json) return {0, text + "]\n"};
  if (shelf.empty()) return {0, kNone};
  if (next) text += "more: set-aside list " + std::to_string(*next) + "\n";
  return {0, text};
}

CommandAnswer show_answer(const std::vector<SetAside>& shelf, std::int64_t number, bool json) {
  if (shelf.empty() || shelf.front().number != number) {
    return {1, "no event is set aside as " + std::to_string(number) + "\n"};
  }
  const SetAside& one = shelf.front();
  if (json) return {0, as_json(one, true) + "\n"};
  return {0, as_row(one) + one.line + "\n"};
}

void list(Outbox& outbox, const CommandRequest& request, const Reply& reply) {
  const auto from = number_in(request, 1);
  if (!from) return reply->end({2, "usage: set-aside list [FROM]\n"});
  outbox.list_set_aside(*from, kMaxListed + 1, [reply, json = request.json](Listed listed) {
    if (!listed) return reply->end({1, listed.error().text + "\n"});
    reply->end(list_answer(std::move(*listed), json));
  });
}

void show(Outbox& outbox, const CommandRequest& request, const Reply& reply) {
  const auto number = number_in(request);
  if (!number) return reply->end({2, "usage: set-aside show N\n"});
  outbox.list_set_aside(*number, 1,
                        [reply, number = *number, json = request.json](const Listed& listed) {
                          if (!listed) return reply->end({1, listed.error().text + "\n"});
                          reply->end(show_answer(*listed, number, json));
                        });
}

void requeue(Outbox& outbox, const CommandRequest& request, const Reply& reply) {
  const auto number = number_in(request);
  if (!number) return reply->end({2, "usage: set-aside requeue N\n"});
  outbox.requeue(*number, [reply, number = *number, json = request.json](const Result<void>& done) {
    if (!done) return reply->end({1, done.error().text + "\n"});
    const std::string name = std::to_string(number);
    reply->end(
        {0, json ? "{\"requeued\":" + name + "}\n" : "event " + name + " is back in its queue\n"});
  });
}

constexpr const char* kResendUsage =
    "usage: resend STREAM RANGES [UPLINK], as in "
    "resend traffic.lane 12-15 20-20\n";

// STREAM may be "epoch/stream" or "node/epoch/stream". nullopt: that is no request.
std::optional<ResendRequest> resend_request(const std::vector<std::string>& words) {
  if (words.size() < 2) return std::nullopt;
  ResendRequest request;
  const auto parts = split(words[0], '/');
  if (parts.size() > 3) return std::nullopt;
  request.stream = std::string(parts.back());
  if (parts.size() > 1) request.epoch = std::string(parts[parts.size() - 2]);
  for (std::size_t i = 1; i < words.size(); ++i) {
    const bool is_range = words[i].find_first_not_of("0123456789-") == std::string::npos;
    if (!is_range && (i == 1 || i + 1 < words.size())) return std::nullopt;
    if (!is_range) {
      request.uplink = words[i];
    } else {
      request.ranges += (request.ranges.empty() ? "" : " ") + words[i];
    }
  }
  return request;
}

CommandAnswer resend_answer(const ResendRequest& request, const ResendReport& report, bool json) {
  std::string text;
  std::int64_t found = 0;
  for (const ResendReport::Uplink& uplink : report.uplinks) {
    found += uplink.queued + uplink.waiting;
    text += text_of("%s: %lld of %s/%s queued again, %lld were waiting\n", uplink.name.c_str(),
                    static_cast<long long>(uplink.queued), report.epoch.c_str(),
                    request.stream.c_str(), static_cast<long long>(uplink.waiting));
  }
  if (!report.gone.empty()) text += "not here (any more): " + report.gone + "\n";
  const int code = found > 0 ? 0 : 1;
  if (!json) return {code, text};
  text = "{\"epoch\":\"" + report.epoch + "\"";
  append_member(text, "stream", request.stream);
  append_member(text, "gone", report.gone);
  text += ",\"uplinks\":[";
  for (const ResendReport::Uplink& uplink : report.uplinks) {
    if (!text.ends_with('[')) text += ",";
    text += "{\"queued\":" + std::to_string(uplink.queued) +
            ",\"waiting\":" + std::to_string(uplink.waiting);
    append_member(text, "name", uplink.name);
    text += "}";
  }
  return {code, text + "]}\n"};
}

void resend(Outbox& outbox, const CommandRequest& request, const Reply& reply) {
  const auto wanted = resend_request(request.words);
  if (!wanted) return reply->end({2, kResendUsage});
  outbox.resend(*wanted,
                [reply, wanted = *wanted, json = request.json](const Result<ResendReport>& report) {
                  if (report) return reply->end(resend_answer(wanted, *report, json));
                  const int code = report.error().code == ErrorCode::invalid ? 2 : 1;
                  reply->end({code, report.error().text + "\n"});
                });
}

}  // namespace

std::vector<Command> outbox_commands(Outbox& outbox) {
  using Run = void (*)(Outbox&, const CommandRequest&, const Reply&);
  const auto command = [&outbox](std::string verb, std::string argument, std::string help,
                                 bool changes, Run run) {
    Command made{verb, verb + argument, std::move(help), changes, {}, {}, {}};
    made.run_later = [&outbox, run](const CommandRequest& request, Reply reply) {
      run(outbox, request, reply);
    };
    return made;
  };
  return {
      command("set-aside list", " [FROM]", "events a receiver refused", false, list),
      command("set-aside show", " N", "one of them, with its line", false, show),
      command("set-aside requeue", " N", "offers it once more", true, requeue),
      command("resend", " STREAM RANGES [UPLINK]", "offers delivered events again", true, resend)};
}

}  // namespace berm::outbox
