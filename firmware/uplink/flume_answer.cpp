// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/flume_answer.hpp"

#include <array>
#include <chrono>
#include <cstdio>

#include "firmware/uplink/limits.hpp"
#include "hal/base/text.hpp"

namespace berm::uplink {
namespace {

constexpr std::string_view kPutQueue = "Put queue";

// What stands in the first cell after `MESSAGE`, as Jetty writes its error pages; empty: no such
// page.
std::string_view jetty_message(std::string_view body) {
  const std::size_t row = body.find("MESSAGE");
  if (row == std::string_view::npos) return {};
  const std::size_t cell = body.find("<td>", row);
  if (cell == std::string_view::npos) return {};
  const std::string_view rest = body.substr(cell + 4);
  return rest.substr(0, rest.find('<'));
}

std::string_view first_line(std::string_view body) {
  const std::string_view text = trim(body);
  return text.substr(0, text.find_first_of("\r\n"));
}

std::string printable(std::string_view text) {
  std::string clean;
  for (const char c : text.substr(0, kMaxReasonLength)) {
    clean.push_back(c >= ' ' && c <= '~' ? c : '?');
  }
  return clean;
}

std::string reason_of(const hal::HttpAnswer& answer) {
  std::string reason = text_of("HTTP %d", answer.status);
  std::string_view words = jetty_message(answer.body);
  if (words.empty() && answer.body.find('<') == std::string::npos) words = first_line(answer.body);
  if (!words.empty()) reason.append(": ").append(printable(words));
  return reason;
}

Answer read_success(const hal::HttpAnswer& answer) {
  if (answer.status == 200 && answer.body.empty()) return {Verdict::delivered, "HTTP 200"};
  if (answer.status != 200) return {Verdict::failed, reason_of(answer)};
  return {Verdict::failed, text_of("HTTP 200 with a page of %zu bytes: this is not Flume (a login "
                                   "page or a proxy answers in its place)",
                                   answer.body.size())};
}

Answer read_client_fault(const hal::HttpAnswer& answer) {
  Answer read{Verdict::failed, reason_of(answer)};
  switch (answer.status) {
    case 400:
      read.verdict = Verdict::refused;
      read.can_set_aside = true;
      break;
    case 401:
    case 403:
    case 407:
      read.trouble = Trouble::not_authorized;
      break;
    case 413:
      read.verdict = Verdict::too_large;
      read.can_set_aside = true;
      break;
    case 429:
      read.verdict = Verdict::busy;
      break;
    case 431:
      read.verdict = Verdict::too_large;
      break;
    default:
      break;
  }
  return read;
}

Answer read_unavailable(const hal::HttpAnswer& answer, std::size_t events) {
  const bool names_limit = answer.body.find(kPutQueue) != std::string::npos;
  const bool at_once =
      answer.elapsed < kAtOnce && events > 1 && answer.header("retry-after").empty();
  const bool is_limit = events > 1 && (names_limit || at_once);
  return {is_limit ? Verdict::too_large : Verdict::busy, reason_of(answer)};
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, the only form that may be sent).
std::optional<Seconds> read_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(25) != " GMT") return std::nullopt;
  std::string when(text.substr(12, 4));
  for (unsigned month = 0; month < kMonths.size(); ++month) {
    if (text.substr(8, 3) == kMonths[month]) when += text_of("-%02u-", month + 1);
  }
  when.append(text.substr(5, 2)).append("T").append(text.substr(17, 8)).append("Z");
  const auto us = parse_iso8601_us(when);
  if (!us) return std::nullopt;
  return std::chrono::floor<Seconds>(Microseconds(*us));
}

}  // namespace

std::optional<Seconds> read_retry_after(const hal::HttpAnswer& answer) {
  const std::string_view text = trim(answer.header("retry-after"));
  if (text.empty()) return std::nullopt;
  std::optional<Seconds> wait;
  if (const auto seconds = parse_integer(text)) {
    wait = Seconds(*seconds);
  } else {
    const auto until = read_http_date(text);
    const auto now = read_http_date(trim(answer.header("date")));
    if (until && now) wait = *until - *now;
  }
  if (!wait || wait->count() <= 0) return std::nullopt;
  return std::min(*wait, kMaxRetryAfter);
}

Answer read_flume_answer(const hal::HttpAnswer& answer, std::size_t events_in_batch) {
  Answer read{Verdict::failed, {}};
  if (answer.status >= 200 && answer.status < 300) {
    read = read_success(answer);
  } else if (answer.status >= 400 && answer.status < 500) {
    read = read_client_fault(answer);
  } else if (answer.status == 503) {
    read = read_unavailable(answer, events_in_batch);
  } else {
    read.reason = reason_of(answer);
    if (answer.status == 500) read.verdict = Verdict::refused;
  }
  if (read.verdict != Verdict::delivered) read.retry_after = read_retry_after(answer);
  return read;
}

}  // namespace berm::uplink
