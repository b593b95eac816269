// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/command_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace berm::shell {
namespace {

using Words = std::vector<std::string>;

TEST(CommandLine, WordsAreSplitAtSpacesAndQuotesKeepThem) {
  EXPECT_EQ(*split_words("  tail   traffic.lane "), (Words{"tail", "traffic.lane"}));
  EXPECT_EQ(*split_words(R"(say "a b" "c\"d\\" "")"), (Words{"say", "a b", "c\"d\\", ""}));
  EXPECT_TRUE(split_words("")->empty());
}

TEST(CommandLine, RefusesAnOpenQuoteControlCharactersAndTooManyWords) {
  EXPECT_FALSE(split_words("say \"a"));
  EXPECT_FALSE(split_words("say \x01"));
  std::string line;
  for (std::size_t i = 0; i < kMaxWords; ++i) line += "w ";
  EXPECT_TRUE(split_words(line));
  EXPECT_FALSE(split_words(line + "w"));
}

TEST(CommandLine, JoinedWordsSplitIntoTheSame) {
  const Words words{"a", "b c", "quote\"", "back\\slash", ""};
  EXPECT_EQ(*split_words(join_words(words)), words);
}

TEST(CommandLine, AnAnswerIsReadOnceItIsWhole) {
  const std::string bytes = format_answer({3, "two\nlines\n"});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto part = parse_answer(std::string_view(bytes).substr(0, size));
    ASSERT_TRUE(part) << size;
    EXPECT_FALSE(part->has_value()) << size;
  }
  const auto whole = parse_answer(bytes + "0 3\n");
  ASSERT_TRUE(whole && whole->has_value());
  EXPECT_EQ((*whole)->answer.exit_code, 3);
  EXPECT_EQ((*whole)->answer.text, "two\nlines\n");
  EXPECT_TRUE((*whole)->is_last);
  EXPECT_EQ((*whole)->bytes, bytes.size());
}

TEST(CommandLine, APieceSaysThatMoreFollows) {
  const std::string bytes = format_more("a\n");
  const auto piece = parse_answer(bytes);
  ASSERT_TRUE(piece && piece->has_value());
  EXPECT_FALSE((*piece)->is_last);
  EXPECT_EQ((*piece)->answer.text, "a\n");
  EXPECT_EQ((*piece)->bytes, bytes.size());
  EXPECT_EQ((*parse_answer(format_more("")))->answer.text, "");
}

TEST(CommandLine, SomethingElseIsNoAnswer) {
  EXPECT_FALSE(parse_answer("HTTP/1.1 200 OK\n"));
  EXPECT_FALSE(parse_answer("0 -1\n"));
  EXPECT_FALSE(parse_answer("-1 0\n"));
  EXPECT_FALSE(parse_answer("256 0\n"));
  EXPECT_TRUE(parse_answer("255 0\n"));
  EXPECT_FALSE(parse_answer("0 " + std::to_string(kMaxAnswerBytes + 1) + "\n"));
  EXPECT_TRUE(parse_answer("0 " + std::to_string(kMaxAnswerBytes) + "\n"));
  EXPECT_FALSE(parse_answer(std::string(64, 'x')));
}

std::vector<Command> commands() {
  return {{"config show", "config show", "shows it", false,
           [](const CommandRequest& request) {
             return CommandAnswer{0, request.json ? "json\n" : "text\n"};
           }},
          {"config", "config WHAT", "", false,
           [](const CommandRequest& request) {
             return CommandAnswer{0, "config of " + request.words.at(0) + "\n"};
           }},
          {"restart",
           "restart",
           "",
           true,
           [](const CommandRequest&) { return CommandAnswer{0, "done\n"}; },
           {},
           [] { return std::vector<std::string>{"now", "later"}; }}};
}

CommandAnswer run_command(const std::vector<Command>& known, Words words, bool is_admin) {
  const Selection chosen = select_command(known, std::move(words), is_admin);
  return chosen.command == nullptr ? chosen.answer : chosen.command->run(chosen.request);
}

TEST(CommandLine, TheLongestVerbWins) {
  EXPECT_EQ(run_command(commands(), {"config", "show"}, false).text, "text\n");
  EXPECT_EQ(run_command(commands(), {"config", "--json", "show"}, false).text, "json\n");
  EXPECT_EQ(run_command(commands(), {"config", "lanes"}, false).text, "config of lanes\n");
}

TEST(CommandLine, AnUnknownVerbNamesTheNearest) {
  const CommandAnswer answer = run_command(commands(), {"restrat"}, true);
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_NE(answer.text.find("'restart'"), std::string::npos) << answer.text;
  EXPECT_EQ(run_command(commands(), {"zzzzzzzz"}, true).text.find("did you mean"),
            std::string::npos);
}

TEST(CommandLine, OnlyAnAdminChangesThings) {
  EXPECT_EQ(run_command(commands(), {"restart"}, false).exit_code, 1);
  EXPECT_EQ(run_command(commands(), {"restart"}, true).exit_code, 0);
}

TEST(CommandLine, HelpListsEveryCommand) {
  const CommandAnswer answer = run_command(commands(), {"help"}, false);
  for (const Command& command : commands()) {
    EXPECT_NE(answer.text.find(command.usage), std::string::npos) << command.usage;
  }
}

TEST(CommandLine, AnUnknownSecondWordNamesTheWholeVerb) {
  const CommandAnswer answer =
      run_command({{"set-aside list", "", "", false, {}}}, {"set-aside", "lst"}, true);
  EXPECT_EQ(answer.text, "unknown command 'set-aside lst', did you mean 'set-aside list'?\n");
}

TEST(CommandLine, HelpIsGivenForOneVerbAndAsJson) {
  EXPECT_EQ(run_command(commands(), {"help", "config", "show"}, false).text,
            "config show  shows it\n");
  EXPECT_EQ(run_command(commands(), {"help", "restart", "--json"}, false).text,
            R"([{"verb":"restart","usage":"restart","help":"","changes":true}])"
            "\n");
  EXPECT_EQ(run_command(commands(), {"help", "none"}, false).exit_code, 1);
}

std::string completed(Words words) {
  words.insert(words.begin(), "complete");
  return run_command(commands(), std::move(words), false).text;
}

TEST(CommandLine, CompletionOffersVerbsTheirNextWordsAndWhatTheyTake) {
  EXPECT_EQ(completed({""}), "config\nexit\nhelp\nrestart\n");
  EXPECT_EQ(completed({"re"}), "restart\n");
  EXPECT_EQ(completed({"config", "s"}), "show\n");
  EXPECT_EQ(completed({"restart", ""}), "later\nnow\n");
  EXPECT_EQ(completed({"restart", "n"}), "now\n");
  EXPECT_EQ(completed({"restart", "now", ""}), "");
  EXPECT_EQ(completed({"restart", "--"}), "--json\n");
  EXPECT_EQ(completed({"none", ""}), "");
  EXPECT_EQ(completed({}), "");
}

TEST(CommandLine, CompletionIsBounded) {
  std::vector<Command> many;
  for (std::size_t i = 0; i < kMaxCandidates + 10; ++i) {
    many.push_back({"verb" + std::to_string(i), "", "", false, {}});
  }
  const std::string text = run_command(many, {"complete", "v"}, false).text;
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')), kMaxCandidates);
}

}  // namespace
}  // namespace berm::shell
