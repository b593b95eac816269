// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/witness.hpp"

#include <algorithm>
#include <utility>

#include "drivers/api/driver_table.hpp"
#include "hal/base/assert.hpp"
#include "tests/scenario/boot_loop.hpp"
#include "tests/scenario/feed_site.hpp"

namespace berm::scenario {
namespace {

using drivers::Driver;
using drivers::DriverContext;

class WitnessedContext final : public DriverContext {
 public:
  explicit WitnessedContext(DriverContext& node)
      : node_(node), boot_(dynamic_cast<BootLoop&>(node.loop())) {}

  hal::Loop& loop() override { return node_.loop(); }
  hal::Clock& clock() override { return node_.clock(); }
  hal::EdgeInputs& edges() override { return node_.edges(); }
  hal::HttpClient* http() override { return node_.http(); }
  const drivers::Site& site() const override { return node_.site(); }
  const Log& log() const override { return node_.log(); }
  const TimeZone& zone() const override { return node_.zone(); }
  void emit(drivers::Observation observation, std::function<void()> on_durable) override {
    Witness& witness = boot_.witness();
    const std::int64_t serial = witness.emitted(observation, boot_.ahead());
    node_.emit(std::move(observation), [&witness, serial, on_durable = std::move(on_durable)] {
      witness.durable(serial);
      if (on_durable) on_durable();
    });
  }
  void checkpoint(std::string bytes) override { node_.checkpoint(std::move(bytes)); }
  void begin_alarm(std::string_view alarm, std::string_view subject, drivers::Severity severity,
                   std::string_view text) override {
    node_.begin_alarm(alarm, subject, severity, text);
  }
  void end_alarm(std::string_view alarm, std::string_view subject) override {
    node_.end_alarm(alarm, subject);
  }

 private:
  DriverContext& node_;
  BootLoop& boot_;
};

class WitnessedDriver final : public Driver {
 public:
  explicit WitnessedDriver(DriverContext& node) : context_(node) {}
  Result<void> make(const drivers::DriverDescriptor& descriptor, std::string_view instance,
                    const Options& options) {
    BERM_TRY(driver_, descriptor.create(instance, options, context_));
    return {};
  }
  Result<void> start(std::string_view checkpoint) override { return driver_->start(checkpoint); }
  void stop() override { driver_->stop(); }
  Status status() const override { return driver_->status(); }
  std::vector<Command> commands() override { return driver_->commands(); }

 private:
  WitnessedContext context_;
  std::unique_ptr<Driver> driver_;
};

constexpr char kLoopDetector[] = "loop_detector";
constexpr char kMivFeed[] = "miv_feed";

const drivers::DriverDescriptor& descriptor_of(std::string_view name) {
  const auto table = drivers::driver_table();
  const auto found =
      std::ranges::find_if(table, [name](const auto* one) { return one->name == name; });
  BERM_ASSERT(found != table.end());
  return **found;
}

template <const char* kName>
Result<std::unique_ptr<Driver>> create_witnessed(std::string_view instance, const Options& options,
                                                 DriverContext& context) {
  auto driver = std::make_unique<WitnessedDriver>(context);
  BERM_CHECK(driver->make(descriptor_of(kName), instance, options));
  return driver;
}

bool has_flag(const std::string& flags, std::string_view flag) {
  return flags.find(flag) != std::string::npos;
}

}  // namespace

drivers::DriverDescriptor witnessed_loop_detector() {
  drivers::DriverDescriptor descriptor = descriptor_of(kLoopDetector);
  descriptor.create = create_witnessed<kLoopDetector>;
  return descriptor;
}

drivers::DriverDescriptor witnessed_miv_feed() {
  drivers::DriverDescriptor descriptor = descriptor_of(kMivFeed);
  descriptor.create = create_witnessed<kMivFeed>;
  return descriptor;
}

std::int64_t Witness::emitted(drivers::Observation& observation, Microseconds ahead) {
  const auto serial = static_cast<std::int64_t>(emissions_.size());
  Emission emission{.life = life_};
  if (auto* period = std::get_if<drivers::LanePeriod>(&observation)) {
    emission.start = period->start.mono + ahead;
    if (period->start.wall) emission.label_s = s_of(*period->start.wall);
    emission.uid = period->uid;
    emission.count = period->count.value_or(-1);
    emission.coverage = period->coverage.value_or(0.0);
    emission.period_s = static_cast<std::int32_t>(period->period_s);
    emission.is_partial = has_flag(period->flags, "interrupted") ||
                          has_flag(period->flags, "missed") || emission.count < 0;
    emission.is_feed = emission.uid >= kFirstFeedUid;
    if (emission.is_feed) emission.start = mono_us(us_of(period->start.wall.value_or(WallTime{})));
    period->place.name = "#" + std::to_string(serial);
  } else if (auto* passage = std::get_if<drivers::VehiclePassage>(&observation)) {
    emission.start = passage->leading_edge.mono + ahead;
    emission.uid = passage->uid;
    passage->lane += "#" + std::to_string(serial);
  } else {
    return -1;
  }
  emissions_.push_back(emission);
  return serial;
}

void Witness::durable(std::int64_t serial) {
  if (serial >= 0) emissions_[static_cast<std::size_t>(serial)].is_durable = true;
}

std::int64_t Witness::vehicles_passed() const {
  std::int64_t all = 0;
  for (const auto& [uid, times] : passed_) all += static_cast<std::int64_t>(times.size());
  return all;
}

}  // namespace berm::scenario
