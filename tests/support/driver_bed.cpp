// SPDX-License-Identifier: Apache-2.0
#include "tests/support/driver_bed.hpp"

#include "hal/base/assert.hpp"

namespace berm::test {
namespace {

class BedInput final : public hal::EdgeInput {
 public:
  explicit BedInput(BedInput*& self) : self_(self) { self_ = this; }
  ~BedInput() override { self_ = nullptr; }
  Result<void> start(OnEdges on_edges, OnState on_state) override {
    on_edges_ = std::move(on_edges);
    on_state_ = std::move(on_state);
    return {};
  }
  Status status() const override { return Status("input"); }

  OnEdges on_edges_;
  OnState on_state_;

 private:
  BedInput*& self_;
};

}  // namespace

class DriverBed::Inputs final : public hal::EdgeInputs {
 public:
  Result<std::unique_ptr<hal::EdgeInput>> open(const std::vector<std::string>& signals) override {
    if (signals.empty()) return fail(ErrorCode::invalid, "no signals");
    if (input != nullptr) return fail(ErrorCode::exists, signals.front() + " is taken");
    return std::unique_ptr<hal::EdgeInput>(std::make_unique<BedInput>(input));
  }
  BedInput* input = nullptr;
};

DriverBed::DriverBed(WallTime start)
    : loop_(std::make_unique<hal::SimLoop>()), clock_(*loop_), inputs_(std::make_unique<Inputs>()) {
  clock_.offset_us = us_of(start) - us_of(loop_->now());
  site_.node = "bed";
}

DriverBed::~DriverBed() = default;

hal::EdgeInputs& DriverBed::edges() {
  return *inputs_;
}

void DriverBed::emit(drivers::Observation observation, std::function<void()> on_durable) {
  if (auto* period = std::get_if<drivers::LanePeriod>(&observation)) {
    periods_.push_back(std::move(*period));
  } else if (auto* vehicle = std::get_if<drivers::VehiclePassage>(&observation)) {
    vehicles_.push_back(std::move(*vehicle));
  } else if (auto* row = std::get_if<drivers::Row>(&observation)) {
    rows_.push_back(std::move(*row));
  }
  if (on_durable) loop_->post(std::move(on_durable));
}

void DriverBed::begin_alarm(std::string_view alarm, std::string_view subject, drivers::Severity,
                            std::string_view) {
  alarms_.push_back("begin " + std::string(alarm) + "/" + std::string(subject));
}

void DriverBed::end_alarm(std::string_view alarm, std::string_view subject) {
  alarms_.push_back("end " + std::string(alarm) + "/" + std::string(subject));
}

void DriverBed::start(const drivers::DriverDescriptor& descriptor, std::string_view options_json) {
  const auto json = Json::parse(options_json);
  BERM_ASSERT(json.has_value());
  std::vector<OptionFault> faults;
  const Options options = parse_options(*descriptor.options, *json, "/drivers/bed", faults);
  BERM_ASSERT(faults.empty());
  if (descriptor.check != nullptr) descriptor.check(options, "/drivers/bed", faults);
  BERM_ASSERT(faults.empty());
  auto made = descriptor.create("bed", options, *this);
  BERM_ASSERT(made.has_value());
  driver_ = std::move(*made);
  const auto started = driver_->start(std::string(checkpoint_));
  BERM_ASSERT(started.has_value());
}

void DriverBed::stop() {
  driver_->stop();
  driver_.reset();
}

void DriverBed::power_cut() {
  const std::string kept = checkpoint_;
  driver_.reset();
  checkpoint_ = kept;
}

void DriverBed::reboot(Microseconds off) {
  BERM_ASSERT(driver_ == nullptr);
  const std::int64_t wall = us_of(clock_.wall().time) + off.count();
  loop_ = std::make_unique<hal::SimLoop>(mono_us(7'654'321));
  clock_.loop_ = loop_.get();
  clock_.offset_us = wall - us_of(loop_->now());
  clock_.boot += "+";
}

void DriverBed::feed(std::span<const hal::Edge> edges) {
  if (inputs_->input != nullptr) inputs_->input->on_edges_(edges);
}

void DriverBed::input_state(bool is_up, MonoTime since) {
  if (inputs_->input != nullptr) inputs_->input->on_state_(is_up, since);
}

}  // namespace berm::test
