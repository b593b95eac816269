// SPDX-License-Identifier: Apache-2.0
// MivFeed: the thin part of the driver: asks the site for the list of points and the minute's data,
// reads both as they come in, and hands each point's minute over. What the sensor is, the options
// and the flags: README.md.
//
// Promises: list, then data, at once on start, then every `period_s` (conditional requests); a
// (point, minute) is emitted once, also over a restart; what was whole in a broken document is
// emitted, the rest counted; nothing a site sends stops the agent. After a fault of the data it
// asks again after kFirstRetry, doubling to kLastRetry, each shortened at random by up to a half
// (by the node's name). Thread: the loop's; a piece of 16 kB costs about 0.3 ms. Memory: the list
// (0.3 kB a point) and what was reported (0.2 kB a point), no document. Fails: alarms `feed_down`
// and `feed_invalid` on `data` and `points`, in words; `unknown_points`.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drivers/api/driver.hpp"
#include "drivers/miv_feed/data_document.hpp"
#include "drivers/miv_feed/document_fetch.hpp"
#include "drivers/miv_feed/feed_memory.hpp"
#include "drivers/miv_feed/options.hpp"
#include "drivers/miv_feed/point_table.hpp"
#include "drivers/miv_feed/points_document.hpp"

namespace berm::drivers::miv_feed {

class MivFeed final : public Driver, private DataReader {
 public:
  MivFeed(std::string_view instance, FeedOptions options, DriverContext& context);
  Result<void> start(std::string_view checkpoint) override;
  void stop() override;
  Status status() const override;

 private:
  // One of the two documents: how it went.
  struct Source {
    std::string_view name;   // "data"
    std::string_view words;  // "the minute's data"
    std::unique_ptr<DocumentFetch> fetch;
    int failures = 0;  // in a row
    std::uint64_t read = 0, unchanged = 0;
    std::map<std::string, std::uint64_t> faults;  // by reason
    std::string last_fault;
  };
  class DataPieces final : public DocumentReader {
   public:
    explicit DataPieces(MivFeed& feed) : feed_(feed), document_(feed) {}
    Result<void> feed(std::string_view piece) override;
    Result<void> finish() override;
    const DataDocument& document() const { return document_; }

   private:
    MivFeed& feed_;
    DataDocument document_;
  };
  class ListPieces final : public DocumentReader {
   public:
    Result<void> feed(std::string_view piece) override { return document_.feed(piece); }
    Result<void> finish() override;
    PointsDocument& document() { return document_; }

   private:
    PointsDocument document_;
  };
  struct Totals {  // since the start
    std::uint64_t minutes = 0, repeated = 0, too_many = 0, points_told = 0;
    std::uint64_t missing_id = 0, bad_time = 0, odd_values = 0, cut = 0;
  };

  bool wants(std::int64_t uid) const override { return options_.wants(uid); }
  void on_point(const DocumentTimes& times, const MeasuredPoint& measured) override;

  void begin_round();
  bool is_list_due() const;
  void fetch_data_soon();
  void on_told();
  void fetch_list();
  void list_done(const FetchReport& report);
  void take_list(bool is_whole);
  void fetch_data();
  void data_done(const FetchReport& report);
  void note(Source& source, const FetchReport& report);
  void plan_round(const FetchReport& report);
  Microseconds retry_delay(const Source& source) const;
  std::optional<WallTime> known_wall() const;

  void tell_points(const std::vector<std::int64_t>& uids);
  void tell_all_points();
  void name_unknown_points();
  std::uint64_t list_digest() const;
  void keep_memory();
  void restore(std::string_view checkpoint);

  const std::string instance_;
  const FeedOptions options_;
  DriverContext& context_;
  Source list_{.name = "points", .words = "the list of points"};
  Source data_{.name = "data", .words = "the minute's data"};
  std::unique_ptr<ListPieces> list_pieces_;
  std::unique_ptr<DataPieces> data_pieces_;
  PointTable table_;
  FeedMemory memory_;
  hal::Timer round_timer_;
  std::shared_ptr<bool> telling_;  // while points told are not committed
  bool is_data_due_ = false;       // it waits for them
  bool is_running_ = false;
  MonoTime round_began_{};
  MonoTime list_not_before_{};
  MonoTime list_read_{};
  bool is_list_renamed_ = false;  // the data names another time of the list's last change
  std::optional<WallTime> list_configured_, configured_asked_;
  bool has_told_list_ = false;
  std::uint64_t told_digest_ = 0;        // of the list as it was told; 0: unknown
  std::optional<MonoTime> told_all_;     // when all of it was told last
  std::optional<WallTime> told_all_at_;  // the same by the wall, if that was known
  DocumentTimes last_times_;
  std::optional<bool> is_old_;  // of the document in hand
  bool has_news_ = false;       // emitted since the last checkpoint
  std::size_t unknown_points_ = 0;
  Totals totals_;
};

}  // namespace berm::drivers::miv_feed
