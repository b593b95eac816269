// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/recording.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

namespace berm::hal {
namespace {

using Form = EdgeReader::Form;

EdgeReader reader_of(std::string text, Form form = Form::csv) {
  return EdgeReader(text_bytes(std::move(text)), form, "edges");
}

Result<std::vector<EdgeRow>> read_all(EdgeReader& reader) {
  std::vector<EdgeRow> all;
  while (true) {
    BERM_TRY(const auto rows, reader.next());
    if (rows.empty()) return all;
    all.insert(all.end(), rows.begin(), rows.end());
  }
}

std::string fault_of(std::string text, Form form = Form::csv) {
  EdgeReader reader = reader_of(std::move(text), form);
  const auto rows = read_all(reader);
  return rows ? "" : rows.error().text;
}

TEST(ParseDecimal, IsExactToTheMicrosecond) {
  EXPECT_EQ(parse_decimal_s("0"), Microseconds{0});
  EXPECT_EQ(parse_decimal_s("42.597"), Microseconds{42'597'000});
  EXPECT_EQ(parse_decimal_s("0.000001"), Microseconds{1});
  EXPECT_EQ(parse_decimal_s("0.0000014999"), Microseconds{1});
  EXPECT_EQ(parse_decimal_s("0.0000015"), Microseconds{2});
  EXPECT_EQ(parse_decimal_s("0.9999999"), Microseconds{1'000'000});
  EXPECT_EQ(parse_decimal_s("999999999.999999"), Microseconds{999'999'999'999'999});
  EXPECT_EQ(parse_decimal_s("1000000000"), Microseconds{1'000'000'000'000'000});
}

TEST(ParseDecimal, RefusesWhatIsNoPlainNumber) {
  for (const char* bad :
       {"", ".", "1.", ".5", "-1", "+1", "1e3", "1.2.3", "1,2", " 1", "1 ", "nan", "1000000001",
        "1000000000.000001", "99999999999999999999", "1.2x", "1.12345678901234567890"}) {
    EXPECT_EQ(parse_decimal_s(bad), std::nullopt) << bad;
  }
}

TEST(EdgeReader, ReadsRowsWithNamesInOrderOfAppearance) {
  EdgeReader reader = reader_of("time_s,loop,state\n42.597,0A,1\n42.720,0B,1\r\n\n42.801,0A,0");
  const auto rows = read_all(reader);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ(reader.names(), (std::vector<std::string>{"0A", "0B"}));
  EXPECT_EQ((*rows)[2].time, Microseconds{42'801'000});
  EXPECT_EQ((*rows)[2].loop, 0);
  EXPECT_FALSE((*rows)[2].on);
  EXPECT_TRUE((*rows)[1].on);
  EXPECT_EQ((*rows)[0].resolution_us, 1000u);
  EXPECT_EQ(reader.latest(), Microseconds{42'801'000});
}

TEST(EdgeReader, ResolutionIsAColumnOfItsOwnAndMayBeEmpty) {
  EdgeReader reader = reader_of("time_s,loop,state,resolution_us\n1,D16,1,100000\n2,D16,0,\n");
  const auto rows = read_all(reader);
  ASSERT_TRUE(rows);
  EXPECT_EQ((*rows)[0].resolution_us, 100000u);
  EXPECT_EQ((*rows)[1].resolution_us, 1000u);
}

TEST(EdgeReader, RowsOutOfOrderAreGivenAsTheyStandAndCounted) {
  EdgeReader reader = reader_of("time_s,loop,state\n5,a,1\n3,a,0\n3,b,1\n4,b,0\n");
  const auto rows = read_all(reader);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->size(), 4u);
  EXPECT_EQ((*rows)[1].time, Seconds{3});
  EXPECT_EQ(reader.out_of_order(), 1u);
  EXPECT_EQ(reader.latest(), Seconds{5});
}

TEST(EdgeReader, ABadRowIsNamedByItsLineAfterTheGoodOnesBeforeIt) {
  EdgeReader reader = reader_of("time_s,loop,state\n1,a,1\n2,a,on\n3,a,0\n");
  const auto rows = reader.next();
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->size(), 1u);
  const auto next = reader.next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, ErrorCode::invalid);
  EXPECT_EQ(next.error().text, "edges: line 3: state must be 0 or 1, is 'on'");
  EXPECT_FALSE(reader.next());
}

TEST(EdgeReader, EveryKindOfBadRowIsRefused) {
  const std::string header = "time_s,loop,state\n";
  EXPECT_NE(fault_of(""), "");
  EXPECT_NE(fault_of("time,loop,state\n"), "");
  EXPECT_NE(fault_of(header + "x,a,1\n"), "");
  EXPECT_NE(fault_of(header + "-1,a,1\n"), "");
  EXPECT_NE(fault_of(header + "1,,1\n"), "");
  EXPECT_NE(fault_of(header + "1,a\n"), "");
  EXPECT_NE(fault_of(header + "1,a,2\n"), "");
  EXPECT_NE(fault_of(header + "1,a,1,1000\n"), "");
  EXPECT_NE(fault_of(header + "1,\"a\",1\n"), "");
  EXPECT_NE(fault_of(header + "1,\xff,1\n"), "");
  EXPECT_NE(fault_of(header + std::string(kMaxRecordingLine + 2, '1')), "");
  EXPECT_NE(fault_of("time_s,loop,state,resolution_us\n1,a,1,0\n"), "");
  EXPECT_NE(fault_of("time_s,loop,state,resolution_us\n1,a,1,10000001\n"), "");
  EXPECT_EQ(fault_of("time_s,loop,state,resolution_us\n1,a,1,10000000\n"), "");
  EXPECT_EQ(fault_of(header), "");
}

TEST(EdgeReader, NamesAreLimitedInLengthAndNumber) {
  const std::string header = "time_s,loop,state\n";
  EXPECT_EQ(fault_of(header + "1," + std::string(kMaxLoopName, 'n') + ",1\n"), "");
  EXPECT_NE(fault_of(header + "1," + std::string(kMaxLoopName + 1, 'n') + ",1\n"), "");
  std::string text = header;
  for (std::size_t n = 0; n < kMaxRecordingLoops; ++n) text += "1,L" + std::to_string(n) + ",1\n";
  EXPECT_EQ(fault_of(text), "");
  EXPECT_NE(fault_of(text + "1,one more,1\n"), "");
}

TEST(EdgeReader, ReadsTheEdgesOfARecFileAndPassesOverTheRest) {
  EdgeReader reader = reader_of(
      "{\"t\":0.5,\"signal\":\"gps\",\"value\":{\"lat\":51}}\n"
      "{\"t\":12.345,\"signal\":\"edge/0A\",\"value\":1}\n"
      "{\"t\":12.4,\"signal\":\"edge/0A\",\"value\":false,\"resolution_us\":1}\n",
      Form::rec);
  const auto rows = read_all(reader);
  ASSERT_TRUE(rows) << rows.error().text;
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].time, Microseconds{12'345'000});
  EXPECT_EQ((*rows)[1].resolution_us, 1u);
  EXPECT_EQ(reader.names(), std::vector<std::string>{"0A"});
  EXPECT_NE(fault_of("{\"t\":1,\"signal\":\"edge/a\",\"value\":2}\n", Form::rec), "");
  EXPECT_NE(fault_of("{\"t\":-1,\"signal\":\"edge/a\",\"value\":1}\n", Form::rec), "");
  EXPECT_NE(fault_of("{\"signal\":\"edge/a\",\"value\":1}\n", Form::rec), "");
  EXPECT_NE(fault_of("not json\n", Form::rec), "");
}

TEST(EdgeReader, ChunksNeverSplitARow) {
  std::string text = "time_s,loop,state\n";
  constexpr int kRows = 100'000;
  for (int n = 0; n < kRows; ++n) {
    text += std::to_string(n / 10) + "." + std::to_string(n % 10) + ",loop,";
    text += n % 2 == 0 ? "1\n" : "0\n";
  }
  EdgeReader reader = reader_of(text);
  for (int pass = 0; pass < 2; ++pass) {
    const auto rows = read_all(reader);
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), static_cast<std::size_t>(kRows));
    for (int n = 0; n < kRows; ++n) {
      ASSERT_EQ((*rows)[static_cast<std::size_t>(n)].time, Milliseconds{n * 100});
    }
    ASSERT_TRUE(reader.rewind());
  }
  EXPECT_EQ(reader.out_of_order(), 0u);
}

class RecordingFile : public testing::Test {
 protected:
  RecordingFile() {
    std::string name = (std::filesystem::temp_directory_path() / "berm_recording_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~RecordingFile() override { std::filesystem::remove_all(directory_); }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  static void zip(const std::string& to, const std::string& text) {
    gzFile file = gzopen(to.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
  }
  std::string directory_;
};

TEST_F(RecordingFile, GzipGoesByTheName) {
  zip(path("a.csv.gz"), "time_s,loop,state\n1,a,1\n");
  const auto reader = EdgeReader::open(path("a.csv.gz"));
  ASSERT_TRUE(reader);
  EXPECT_EQ(read_all(**reader).value().size(), 1u);
  std::ofstream(path("plain.csv.gz")) << "time_s,loop,state\n";
  const auto plain = EdgeReader::open(path("plain.csv.gz"));
  ASSERT_TRUE(plain);
  EXPECT_EQ((*plain)->next().error().code, ErrorCode::damaged);
}

TEST_F(RecordingFile, ACutOffGzipFileIsDamaged) {
  std::string text = "time_s,loop,state\n";
  for (int n = 0; n < 2000; ++n) text += std::to_string(n * 37 % 1000) + ",a,1\n";
  zip(path("a.csv.gz"), text);
  std::filesystem::resize_file(path("a.csv.gz"), std::filesystem::file_size(path("a.csv.gz")) / 2);
  const auto reader = EdgeReader::open(path("a.csv.gz"));
  ASSERT_TRUE(reader);
  const auto rows = read_all(**reader);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::damaged);
}

TEST_F(RecordingFile, AMissingFileOrAFolderIsSaidAtOnce) {
  EXPECT_EQ(EdgeReader::open(path("none.csv")).error().code, ErrorCode::not_found);
  EXPECT_FALSE(EdgeReader::open(directory_));
}

TEST(SignalReader, GivesEveryLineAndNamesABadOne) {
  SignalReader reader(text_bytes("{\"t\":1,\"signal\":\"gps\",\"value\":{\"lat\":51.5}}\n\n"
                                 "{\"t\":1.5,\"signal\":\"edge/0A\",\"value\":1}\n"
                                 "{\"t\":2,\"signal\":\"\"}\n"),
                      "day.rec");
  const auto first = reader.next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->signal, "gps");
  EXPECT_EQ((*first)->value.find("lat")->number(), 51.5);
  const auto second = reader.next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->time, Milliseconds{1500});
  const auto bad = reader.next();
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().text, "day.rec: line 4: signal must be a name");
}

}  // namespace
}  // namespace berm::hal
