// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/bed.hpp"

#include <algorithm>
#include <utility>

#include "hal/base/text.hpp"

namespace berm::scenario {
namespace {

constexpr const char* kNode = "e19-km31";

std::string configuration_of(const BedOptions& options) {
  std::string lanes;
  for (int lane = 0; lane < options.lanes; ++lane) {
    lanes += text_of(R"(%s"R1%d": {"uid": %d, "loops": ["%dA", "%dB"], "loop_length_m": 2.0,)"
                     R"( "spacing_m": 4.5, "direction": "north"})",
                     lane == 0 ? "" : ",", lane, 92301 + lane, lane, lane);
  }
  std::string uplinks;
  const auto add = [&uplinks](bool is_there, const std::string& uplink) {
    if (is_there) uplinks += (uplinks.empty() ? "" : ",") + uplink;
  };
  add(options.has_http, text_of(R"("flume": {"uplink": "http", "url": "http://%s"})", kFlumeHost));
  add(options.has_mqtt,
      text_of(R"("broker": {"uplink": "mqtt", "url": "mqtt://%s"})", kBrokerHost));
  add(options.has_file,
      text_of(R"("stick": {"uplink": "file", "directory": "%s/berm", "hold": true})",
              kStickDirectory));
  const std::string feed =
      options.has_feed ? text_of(R"(, "miv": {"driver": "miv_feed", "data_url": "http://%s/data",)"
                                 R"( "points_url": "http://%s/configuratie"})",
                                 kFeedHost, kFeedHost)
                       : "";
  return text_of(R"({"node": "%s", "board": "sim", "timezone": "%s", "drivers": {"e19": {)"
                 R"("driver": "loop_detector", "period_s": %d, "vehicles": %s, "lanes": {%s}}%s},)"
                 R"("outbox": {"max_bytes": %lld, "keep_delivered_s": %lld}, "uplinks": {%s}%s})",
                 kNode, options.timezone.c_str(), options.period_s,
                 options.vehicles ? "true" : "false", lanes.c_str(), feed.c_str(),
                 static_cast<long long>(options.max_bytes),
                 static_cast<long long>(options.keep_delivered_s), uplinks.c_str(),
                 options.has_remote ? R"(, "remote": {"uplink": "broker", "unsigned": true})" : "");
}

std::uint64_t bytes_under(const hal::SimNode& node) {
  std::uint64_t bytes = node.seen.size();
  for (const auto& [name, child] : node.seen_entries) bytes += bytes_under(*child);
  return bytes;
}

// Every line of every file below `directory`, in order of the files' names.
void read_lines(hal::SimDisk& disk, const std::string& directory,
                const std::function<void(std::string_view)>& take) {
  const auto node = disk.volume().find(directory);
  if (!node) return;
  for (const auto& [name, child] : node->seen_entries) {
    if (child->is_directory) {
      read_lines(disk, directory + "/" + name, take);
      continue;
    }
    for (const std::string_view line : split(child->seen, '\n')) {
      if (!line.empty()) take(line);
    }
  }
}

}  // namespace

Bed::Bed(BedOptions options)
    : options_(std::move(options)),
      network_(world_, options_.seed),
      oracle_(witness_, kNode),
      flume_(options_.has_http ? &oracle_.add_receiver("flume") : nullptr),
      broker_(options_.has_mqtt ? &oracle_.add_receiver("broker") : nullptr),
      stick_(options_.has_file ? &oracle_.add_receiver("stick") : nullptr),
      centre_(
          network_, [this](std::string_view line) { receive(*flume_, line); },
          [this](std::string_view line) { receive(*broker_, line); }),
      feed_site_(network_, options_.start),
      sampling_(world_) {
  oracle_.set_epochs([this](std::string_view epoch) {
    for (Cabinet* cabinet : {cabinet_.get(), twin_.get()}) {
      if (cabinet != nullptr && cabinet->agent() != nullptr &&
          cabinet->agent()->outbox().epoch() == epoch) {
        return true;
      }
    }
    return std::ranges::find(epochs_, epoch) != epochs_.end();
  });
  cabinet_ = make_cabinet("machine-1");
  cabinet_->power_on();
  sample();
}

Bed::~Bed() = default;

std::unique_ptr<Cabinet> Bed::make_cabinet(const std::string& machine_id) {
  CabinetOptions options{.configuration = configuration_of(options_)};
  options.machine_id = machine_id;
  options.flow_veh_h = options_.flow_veh_h;
  options.seed = options_.seed;
  options.start = options_.start + (world_.now() - hal::SimLoop::kDefaultStart);
  options.card_bytes = options_.card_bytes;
  auto cabinet = std::make_unique<Cabinet>(world_, network_, witness_, std::move(options));
  cabinet->on_started([this, made = cabinet.get()] {
    const std::string& epoch = made->agent()->outbox().epoch();
    if (std::ranges::find(epochs_, epoch) == epochs_.end()) epochs_.push_back(epoch);
  });
  return cabinet;
}

Cabinet& Bed::add_twin(const std::string& machine_id) {
  oracle_.excuse_twin();
  twin_ = make_cabinet(machine_id);
  twin_->insert_card(cabinet_->clone_card());
  return *twin_;
}

void Bed::at(Microseconds since_start, std::function<void()> what) {
  world_.at(hal::SimLoop::kDefaultStart + since_start, std::move(what));
}

void Bed::receive(Receiver& receiver, std::string_view line) {
  oracle_.receive(receiver, line, world_.now());
  if (!kept_stream_.empty() && line.contains(",\"stream\":\"" + kept_stream_ + "\"")) {
    kept_lines_.push_back(instant_text(now()) + " " + receiver.name() + " " + std::string(line));
  }
}

// Memory and disk, looked at now and then.
void Bed::sample() {
  sampling_.after(kSamplePeriod, [this] { sample(); });
  if (!cabinet_->is_running()) return;
  const auto pending = cabinet_->agent()->outbox().status().integer("pending");
  if (pending > static_cast<std::int64_t>(outbox::kMaxPendingEvents) + 256) {
    oracle_.violation(now(), std::to_string(pending) + " events wait for their commit");
  }
  const auto state = cabinet_->disk().volume().find(kStateDirectory);
  const std::uint64_t used = state ? bytes_under(*state) : 0;
  const std::uint64_t ceiling = static_cast<std::uint64_t>(options_.max_bytes) + kStateOverhead;
  if (used > ceiling) {
    oracle_.violation(now(), text_of("the state directory has %llu bytes, its ceiling is %llu",
                                     static_cast<unsigned long long>(used),
                                     static_cast<unsigned long long>(ceiling)));
  }
}

bool Bed::is_alarmed(std::string_view alarm) {
  if (!cabinet_->is_running()) return false;
  return cabinet_->agent()->status().to_json().contains("\"" + std::string(alarm) + "\"");
}

std::int64_t Bed::waiting(std::string_view uplink) {
  if (!cabinet_->is_running()) return -1;
  const Status status = cabinet_->agent()->outbox().status();
  const Status* const one = status.child(uplink);
  return one == nullptr ? -1 : one->integer("waiting");
}

void Bed::heal() {
  centre_.heal();
  feed_site_.set_mood(FeedMood::sound);
  hal::SimVolume& volume = cabinet_->disk().volume();
  volume.clear_faults();
  volume.observe(nullptr);
  volume.set_capacity(options_.card_bytes);
  volume.set_latency(hal::DiskOperation::sync, Microseconds{0});
  cabinet_->stall_disk(false);
  cabinet_->boot_clock = {};
  cabinet_->clock().set_drift_ppm(0);
  cabinet_->set_clock_known();
}

bool Bed::is_drained() {
  if (!cabinet_->is_running()) return false;
  const Status status = cabinet_->agent()->outbox().status();
  return status.integer("pending") == 0 &&
         std::ranges::all_of(status.children(),
                             [](const Status& uplink) { return uplink.integer("waiting") == 0; });
}

void Bed::read_stick() {
  if (stick_ == nullptr) return;
  stick_->excuse_order();
  read_lines(cabinet_->disk(), kStickDirectory,
             [this](std::string_view line) { receive(*stick_, line); });
}

void Bed::set_configuration(const std::string& document) {
  hal::MqttMessage message;
  message.topic = text_of("berm/%s/config/set", kNode);
  message.payload = text_of(R"({"sequence":%lld,"document":%s})",
                            static_cast<long long>(++sequence_), document.c_str());
  message.retain = true;
  centre_.broker().publish(message);
}

// Whatever documents came: the node is there, has acted on the last one, and runs what it says.
void Bed::judge_reachability() {
  if (!options_.has_remote || !cabinet_->is_running()) return;
  const auto retained = [&](const char* what) {
    const auto* const message = centre_.broker().retained(text_of("berm/%s/%s", kNode, what));
    return message == nullptr ? std::string() : message->payload;
  };
  const auto state = Json::parse(retained("config/state"));
  if (retained("state") != "online" || !state || !state->is_object()) {
    return oracle_.violation(
        now(), "the node cannot be reached: " + retained("state") + " " + retained("config/state"));
  }
  const Json* const last = state->find("state");
  const bool has_ended = last != nullptr && (*last == Json("active") || *last == Json("refused") ||
                                             *last == Json("rolled_back"));
  if (!has_ended) oracle_.violation(now(), "a document never ended: " + state->to_text());
  const Json* const sha256 = state->find("sha256");
  const std::string running = cabinet_->agent()->status().text("config_sha");
  if (sha256 == nullptr || *sha256 != Json(running)) {
    oracle_.violation(now(), "it runs " + running + " and says " + state->to_text());
  }
  const Json* const layers = state->find("layers");
  const Json* const node = layers == nullptr ? nullptr : layers->find("node");
  const Json* const sequence = node == nullptr ? nullptr : node->find("sequence");
  if (sequence_ > 0 && (sequence == nullptr || *sequence != Json(sequence_))) {
    oracle_.violation(now(),
                      text_of("document %lld never came: ", static_cast<long long>(sequence_)) +
                          state->to_text());
  }
}

const std::vector<std::string>& Bed::finish() {
  heal();
  run(kSettleTime);
  const MonoTime latest = now() + kMaxDrain;
  while (!is_drained() && now() < latest) run(Seconds{1});
  if (!is_drained()) {
    const std::string why = cabinet_->is_running()
                                ? "waiting for " + cabinet_->agent()->status().to_json()
                                : "no process runs: " + cabinet_->last_start_error();
    oracle_.violation(now(), text_of("not drained %lld s after the last fault, ",
                                     static_cast<long long>((kSettleTime + kMaxDrain).count())) +
                                 why);
  }
  judge_starts();
  judge_reachability();
  read_stick();
  oracle_.judge(now());
  return oracle_.violations();
}

// A failing call may end one start. Nothing else may, not what a power cut left; but a full disk,
// once others have taken the room that the ballast gave.
void Bed::judge_starts() {
  const std::uint64_t failed = cabinet_->failed_starts();
  const std::uint64_t excused = cabinet_->disk().volume().faults_met();
  if (failed <= excused) return;
  oracle_.violation(now(), text_of("%llu starts failed, %llu calls of the disk: %s",
                                   static_cast<unsigned long long>(failed),
                                   static_cast<unsigned long long>(excused),
                                   cabinet_->last_start_error().c_str()));
}

std::string Bed::report() const {
  std::string text;
  for (const std::string& violation : oracle_.violations()) text += violation + "\n";
  return text;
}

}  // namespace berm::scenario
