// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/edge_input.hpp"

#include <algorithm>
#include <utility>

#include "hal/base/assert.hpp"
#include "hal/linux/gpio_reader.hpp"

namespace berm::hal {

namespace {

class GpioEdgeInput final : public EdgeInput {
 public:
  GpioEdgeInput(EpollLoop& loop, GpioChips& chips, std::vector<GpioSource> sources,
                std::size_t line_count, std::function<void()> on_end)
      : loop_(loop),
        chips_(chips),
        sources_(std::move(sources)),
        line_count_(line_count),
        on_end_(std::move(on_end)) {}
  GpioEdgeInput(const GpioEdgeInput&) = delete;
  GpioEdgeInput& operator=(const GpioEdgeInput&) = delete;
  ~GpioEdgeInput() override { on_end_(); }

  Result<void> start(OnEdges on_edges, OnState on_state) override {
    BERM_ASSERT(!reader_ && on_edges && on_state);
    on_edges_ = std::move(on_edges);
    on_state_ = std::move(on_state);
    is_up_ = true;
    reader_ = std::make_unique<GpioReader>(chips_, std::move(sources_));
    watch_ = loop_.watch(reader_->wake_fd(), {.read = true}, [this](FdEvents) { take(); });
    return {};
  }

  Status status() const override {
    Status status("gpio");
    status.set("up", is_up_).set("lines", line_count_);
    status.set("edges_total", edges_).set("edges_lost_total", lost_);
    return status;
  }

 private:
  void take() {
    items_.clear();
    reader_->drain(items_);
    batch_.clear();
    for (const GpioItem& item : items_) {
      if (item.kind == GpioItem::Kind::edge) {
        batch_.push_back(item.edge);
        ++edges_;
        lost_ += item.edge.lost_before;
        continue;
      }
      hand_over();
      is_up_ = item.kind == GpioItem::Kind::up;
      on_state_(is_up_, item.edge.time);
    }
    hand_over();
  }

  void hand_over() {
    if (!batch_.empty()) on_edges_(batch_);
    batch_.clear();
  }

  EpollLoop& loop_;
  GpioChips& chips_;
  std::vector<GpioSource> sources_;  // until `start`
  const std::size_t line_count_;
  const std::function<void()> on_end_;
  OnEdges on_edges_;
  OnState on_state_;
  bool is_up_ = false;
  std::uint64_t edges_ = 0;
  std::uint64_t lost_ = 0;
  std::vector<GpioItem> items_;
  std::vector<Edge> batch_;
  std::unique_ptr<GpioReader> reader_;
  FdWatch watch_;
};

GpioSource& source_of(const std::string& chip, std::vector<GpioSource>& sources) {
  const auto found = std::find_if(sources.begin(), sources.end(),
                                  [&](const GpioSource& source) { return source.chip == chip; });
  if (found != sources.end()) return *found;
  GpioSource& source = sources.emplace_back();
  source.chip = chip;
  return source;
}

}  // namespace

GpioEdgeInputs::GpioEdgeInputs(EpollLoop& loop, GpioChips& chips, std::vector<GpioSignal> signals)
    : loop_(loop), chips_(chips), signals_(std::move(signals)) {
  std::set<std::string> names;
  for (const GpioSignal& signal : signals_) BERM_ASSERT(names.insert(signal.name).second);
}

GpioEdgeInputs::~GpioEdgeInputs() {
  BERM_ASSERT(open_signals_.empty());
}

Result<std::unique_ptr<EdgeInput>> GpioEdgeInputs::open(const std::vector<std::string>& signals) {
  BERM_ASSERT(!signals.empty());
  std::vector<GpioSource> sources;
  std::set<std::string> names;
  for (std::size_t i = 0; i < signals.size(); ++i) {
    const auto found = std::find_if(signals_.begin(), signals_.end(),
                                    [&](const GpioSignal& s) { return s.name == signals[i]; });
    if (found == signals_.end()) {
      return fail(ErrorCode::not_found, "signal " + signals[i] + " has no wire on this board");
    }
    if (open_signals_.contains(signals[i]) || !names.insert(signals[i]).second) {
      return fail(ErrorCode::exists, "signal " + signals[i] + " is in use already");
    }
    GpioSource& source = source_of(found->chip, sources);
    source.configs.push_back(found->line);
    source.lines.push_back(static_cast<std::uint16_t>(i));
  }
  for (GpioSource& source : sources) {
    BERM_TRY(source.open, chips_.request(source.chip, source.configs));
  }
  open_signals_.insert(names.begin(), names.end());
  return std::make_unique<GpioEdgeInput>(loop_, chips_, std::move(sources), signals.size(),
                                         [this, names] {
                                           for (const auto& name : names) open_signals_.erase(name);
                                         });
}

}  // namespace berm::hal
