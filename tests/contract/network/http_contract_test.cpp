// SPDX-License-Identifier: Apache-2.0
// What every HttpClient does, on the real machine and in the simulator.
#include <gtest/gtest.h>

#include <optional>

#include "tests/contract/network/bench.hpp"
#include "tests/support/emulator.hpp"

namespace berm::hal::contract {
namespace {

class HttpContract : public testing::TestWithParam<HttpBackend> {
 protected:
  void SetUp() override {
    bench_ = GetParam().make();
    if (const auto missing = bench_->missing(); !missing.empty()) GTEST_SKIP() << missing;
    client_ = bench_->make_client();
    ASSERT_NE(client_, nullptr);
  }

  HttpRequest get(const std::string& path) {
    HttpRequest request;
    request.url = bench_->url(path);
    return request;
  }
  Result<HttpAnswer> ask(HttpRequest request) {
    std::optional<Result<HttpAnswer>> answer;
    client_->send(std::move(request), [&](Result<HttpAnswer> result) { answer = result; });
    EXPECT_FALSE(answer.has_value()) << "done was called inside send";
    EXPECT_TRUE(bench_->run_until([&] { return answer.has_value(); }));
    if (!answer) return fail(ErrorCode::io, "no outcome");
    return std::move(*answer);
  }
  ErrorCode error_of(HttpRequest request) {
    const auto answer = ask(std::move(request));
    EXPECT_FALSE(answer.has_value());
    if (answer) return ErrorCode::io;
    EXPECT_FALSE(answer.error().text.empty());
    return answer.error().code;
  }

  std::unique_ptr<HttpBench> bench_;
  std::unique_ptr<HttpClient> client_;
};

TEST_P(HttpContract, an_answer_has_status_headers_in_lower_case_and_body) {
  HttpRequest request = get("/echo");
  request.method = "POST";
  request.headers = {{"Content-Type", "application/json; charset=utf-8"}};
  request.body = "[{}]";
  const auto answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->header("x-answer"), "Yes");
  EXPECT_EQ(answer->body, "POST|application/json; charset=utf-8|-|[{}]");
  EXPECT_GT(answer->elapsed.count(), 0);
}

TEST_P(HttpContract, no_expect_and_no_content_type_of_its_own_even_for_a_big_body) {
  HttpRequest request = get("/echo");
  request.method = "POST";
  request.body = std::string(200'000, 'b');
  request.max_body_bytes = 300'000;
  const auto answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->body, "POST|-|-|" + request.body);
}

TEST_P(HttpContract, an_empty_200_is_an_answer_without_a_body) {
  const auto answer = ask(get("/ok"));
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->body.empty());
}

TEST_P(HttpContract, a_redirect_is_told_and_not_followed) {
  const auto answer = ask(get("/moved"));
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->status, 301);
  EXPECT_EQ(answer->header("location"), "/ok");
  EXPECT_EQ(bench_->requests("/ok"), 0);
}

TEST_P(HttpContract, a_503_is_an_answer_with_its_body_and_retry_after) {
  const auto answer = ask(get("/busy"));
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->header("retry-after"), "7");
  EXPECT_EQ(answer->body, "<html>full</html>");
}

TEST_P(HttpContract, half_an_answer_is_no_answer) {
  EXPECT_EQ(error_of(get("/half")), ErrorCode::closed);
  EXPECT_EQ(error_of(get("/half-headers")), ErrorCode::closed);
}

TEST_P(HttpContract, a_connection_that_ends_without_an_answer_is_closed) {
  EXPECT_EQ(error_of(get("/cut")), ErrorCode::closed);
  EXPECT_GE(bench_->requests("/cut"), 1);
}

TEST_P(HttpContract, a_server_that_says_nothing_is_a_timeout_no_earlier_than_asked) {
  HttpRequest request = get("/nothing");
  request.timeout = Milliseconds{400};
  const MonoTime began = bench_->loop().now();
  EXPECT_EQ(error_of(request), ErrorCode::timeout);
  EXPECT_GE(bench_->loop().now() - began, Milliseconds{395});
  EXPECT_EQ(bench_->requests("/nothing"), 1);
}

TEST_P(HttpContract, a_port_nobody_listens_on_is_unavailable) {
  HttpRequest request;
  request.url = bench_->refusing_url();
  EXPECT_EQ(error_of(request), ErrorCode::unavailable);
}

TEST_P(HttpContract, a_body_of_the_limit_is_kept_and_one_byte_more_is_full) {
  HttpRequest request = get("/thousand");
  request.max_body_bytes = 1000;
  const auto answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->body.size(), 1000U);
  request.max_body_bytes = 999;
  EXPECT_EQ(error_of(request), ErrorCode::full);
}

TEST_P(HttpContract, on_body_gets_all_of_a_big_body_in_pieces) {
  HttpRequest request = get("/big");
  std::size_t total = 0;
  int pieces = 0;
  request.on_body = [&](std::string_view piece) {
    total += piece.size();
    ++pieces;
    return true;
  };
  const auto answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(total, 1'000'000U);
  EXPECT_GT(pieces, 1);
  EXPECT_TRUE(answer->body.empty());
}

TEST_P(HttpContract, the_body_of_an_error_is_kept_and_not_given_to_on_body) {
  HttpRequest request = get("/busy");
  request.on_body = [](std::string_view) -> bool {
    ADD_FAILURE() << "not a 2xx";
    return true;
  };
  const auto answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->body, "<html>full</html>");
}

TEST_P(HttpContract, on_body_that_says_no_ends_the_request) {
  HttpRequest request = get("/big");
  int pieces = 0;
  request.on_body = [&](std::string_view) { return ++pieces < 2; };
  EXPECT_EQ(error_of(request), ErrorCode::closed);
  EXPECT_EQ(pieces, 2);
}

TEST_P(HttpContract, a_request_cancelled_in_its_own_on_body_ends_without_a_word) {
  HttpRequest request = get("/big");
  HttpRequestId id = 0;
  bool is_read = false;
  request.on_body = [&](std::string_view) {
    client_->cancel(id);
    is_read = true;
    return true;
  };
  id = client_->send(request, [](const Result<HttpAnswer>&) { ADD_FAILURE() << "cancelled"; });
  EXPECT_TRUE(bench_->run_until([&] { return is_read; }));
  EXPECT_TRUE(ask(get("/ok")).has_value());
}

TEST_P(HttpContract, a_request_may_be_sent_from_on_body_and_from_done) {
  HttpRequest request = get("/thousand");
  int answers = 0;
  request.on_body = [&](std::string_view) {
    client_->send(get("/ok"), [&](const Result<HttpAnswer>& result) {
      EXPECT_TRUE(result.has_value());
      ++answers;
    });
    return true;
  };
  client_->send(request, [&](const Result<HttpAnswer>& result) {
    EXPECT_TRUE(result.has_value());
    client_->send(get("/ok"), [&](const Result<HttpAnswer>&) { ++answers; });
  });
  EXPECT_TRUE(bench_->run_until([&] { return answers == 2; }));
}

TEST_P(HttpContract, a_request_cancelled_by_another_ones_done_ends_without_a_word) {
  HttpRequestId silent = 0;
  bool is_done = false;
  silent = client_->send(get("/nothing"),
                         [](const Result<HttpAnswer>&) { ADD_FAILURE() << "cancelled"; });
  client_->send(get("/ok"), [&](const Result<HttpAnswer>&) {
    client_->cancel(silent);
    client_->cancel(silent);
    client_->cancel(12345);
    is_done = true;
  });
  EXPECT_TRUE(bench_->run_until([&] { return is_done; }));
  EXPECT_TRUE(ask(get("/ok")).has_value());
}

TEST_P(HttpContract, requests_one_after_the_other_use_one_connection) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(get("/ok")).has_value());
  EXPECT_EQ(bench_->requests("/ok"), 3);
  EXPECT_EQ(bench_->connections(), 1);
  EXPECT_EQ(client_->status().integer("open_connections"), 1);
}

TEST_P(HttpContract, sixty_four_requests_at_a_time_and_no_more) {
  int answers = 0;
  int full = 0;
  for (int i = 0; i < 65; ++i) {
    client_->send(get("/ok"), [&](const Result<HttpAnswer>& result) {
      if (result) {
        ++answers;
      } else {
        EXPECT_EQ(result.error().code, ErrorCode::full);
        ++full;
      }
    });
  }
  EXPECT_TRUE(bench_->run_until([&] { return answers + full == 65; }));
  EXPECT_EQ(answers, 64);
  EXPECT_EQ(full, 1);
}

TEST_P(HttpContract, what_is_no_request_is_invalid) {
  HttpRequest request = get("/ok");
  request.headers = {{"X", "a\r\nEvil: yes"}};
  EXPECT_EQ(error_of(request), ErrorCode::invalid);
  request = get("/ok");
  request.url = "ftp://127.0.0.1/";
  EXPECT_EQ(error_of(request), ErrorCode::invalid);
  request = get("/ok");
  request.timeout = Milliseconds{0};
  EXPECT_EQ(error_of(request), ErrorCode::invalid);
}

TEST_P(HttpContract, https_with_the_right_authority_works) {
  HttpRequest request = get("/ok");
  request.url = bench_->tls_url("/ok");
  request.tls = bench_->trusting();
  const auto answer = ask(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->status, 200);
}

TEST_P(HttpContract, a_certificate_of_another_name_is_refused) {
  HttpRequest request = get("/ok");
  request.url = bench_->wrong_name_url("/ok");
  request.tls = bench_->trusting();
  EXPECT_EQ(error_of(request), ErrorCode::permission);
}

TEST_P(HttpContract, a_certificate_of_another_authority_is_refused) {
  HttpRequest request = get("/ok");
  request.tls = bench_->distrusting();
  request.url = bench_->tls_url("/ok");
  EXPECT_EQ(error_of(request), ErrorCode::permission);
}

TEST_P(HttpContract, bytes_are_counted) {
  const bool is_real = std::string_view(GetParam().name) == "linux";
  if (is_real && test::is_emulated()) GTEST_SKIP() << test::kNoByteCounters;
  HttpRequest request = get("/thousand");
  request.method = "POST";
  request.body = std::string(5000, 'b');
  ASSERT_TRUE(ask(request).has_value());
  const Status status = client_->status();
  EXPECT_GE(status.integer("bytes_sent"), 5000);
  EXPECT_LE(status.integer("bytes_sent"), 6000);
  EXPECT_GE(status.integer("bytes_received"), 1000);
  EXPECT_LE(status.integer("bytes_received"), 2000);
  EXPECT_EQ(status.integer("requests"), 1);
}

TEST_P(HttpContract, a_client_that_dies_takes_its_requests_along) {
  client_->send(get("/nothing"), [](const Result<HttpAnswer>&) { ADD_FAILURE() << "dead"; });
  EXPECT_TRUE(bench_->run_until([&] { return bench_->requests("/nothing") == 1; }));
  client_->send(get("/ok"), [](const Result<HttpAnswer>&) { ADD_FAILURE() << "dead"; });
  client_.reset();
  bench_->run_for(Milliseconds{50});
}

TEST_P(HttpContract, done_may_destroy_the_client) {
  bool is_done = false;
  client_->send(get("/nothing"), [](const Result<HttpAnswer>&) { ADD_FAILURE() << "dead"; });
  client_->send(get("/ok"), [&](const Result<HttpAnswer>&) {
    client_.reset();
    is_done = true;
  });
  EXPECT_TRUE(bench_->run_until([&] { return is_done; }));
  bench_->run_for(Milliseconds{20});
}

INSTANTIATE_TEST_SUITE_P(Backends, HttpContract,
                         testing::Values(HttpBackend{"linux", &make_linux_http},
                                         HttpBackend{"sim", &make_sim_http}),
                         [](const auto& backend) { return std::string(backend.param.name); });

}  // namespace
}  // namespace berm::hal::contract
