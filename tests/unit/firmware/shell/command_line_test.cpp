// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/command_line.hpp"

#include <gtest/gtest.h>

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
  const auto whole = parse_answer(bytes);
  ASSERT_TRUE(whole && whole->has_value());
  EXPECT_EQ((*whole)->exit_code, 3);
  EXPECT_EQ((*whole)->text, "two\nlines\n");
}

TEST(CommandLine, SomethingElseIsNoAnswer) {
  EXPECT_FALSE(parse_answer("HTTP/1.1 200 OK\n"));
  EXPECT_FALSE(parse_answer("0 -1\n"));
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
          {"restart", "restart", "", true,
           [](const CommandRequest&) { return CommandAnswer{0, "done\n"}; }}};
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

}  // namespace
}  // namespace berm::shell
