// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/options.hpp"

#include <array>
#include <cstddef>

namespace berm::control {
namespace {

constexpr OptionKind kBoolean = OptionKind::boolean;
constexpr OptionKind kInteger = OptionKind::integer;
constexpr OptionKind kNumber = OptionKind::number;
constexpr OptionKind kTextList = OptionKind::text_list;
constexpr OptionChange kLive = OptionChange::live;

template <std::size_t A, std::size_t B>
consteval std::array<OptionSpec, A + B> joined(const OptionSpec (&a)[A], const OptionSpec (&b)[B]) {
  std::array<OptionSpec, A + B> rows;
  for (std::size_t i = 0; i < A; ++i) rows[i] = a[i];
  for (std::size_t i = 0; i < B; ++i) rows[A + i] = b[i];
  return rows;
}

// --- site, buses, signals ---
constexpr OptionSpec kSiteRows[] = {
    {.key = "name", .help = "of the place, for people"},
    {.key = "road", .help = "the road's number"},
    {.key = "km",
     .kind = kNumber,
     .min = -1000,
     .max = 10000,
     .unit = "km",
     .help = "on that road"},
    {.key = "direction", .help = "of the traffic, where a lane does not say its own"},
    {.key = "lat", .kind = kNumber, .min = -90, .max = 90, .unit = "deg", .help = "WGS 84"},
    {.key = "lon", .kind = kNumber, .min = -180, .max = 180, .unit = "deg", .help = "WGS 84"},
};
constexpr OptionTable kSite = {"site", kSiteRows};

constexpr OptionSpec kBusRows[] = {
    {.key = "device", .required = true, .help = "the serial device", .is_path = true},
    {.key = "baud",
     .kind = kInteger,
     .default_json = "19200",
     .min = 1200,
     .max = 921600,
     .unit = "Bd",
     .help = "speed of the line"},
    {.key = "mode",
     .default_json = "\"modbus_rtu\"",
     .help = "what is spoken on it",
     .choices = "modbus_rtu"},
};
constexpr OptionTable kBus = {"bus", kBusRows};

constexpr OptionSpec kSignalRows[] = {
    {.key = "gpio",
     .help = "connector of the board, as \"header/11\"",
     .pattern = "[A-Za-z0-9._-]{1,62}(/[A-Za-z0-9._-]{1,62}){1,3}"},
    {.key = "modbus", .help = "name of the bus", .pattern = kNamePattern},
    {.key = "unit", .kind = kInteger, .min = 1, .max = 247, .help = "Modbus unit on that bus"},
    {.key = "input", .kind = kInteger, .min = 0, .max = 65535, .help = "discrete input, from 0"},
    {.key = "active_low", .kind = kBoolean, .default_json = "false", .help = "on is the low level"},
};
constexpr OptionTable kSignal = {"signal", kSignalRows};

// --- streams, outbox ---
// Topic, durability and when_full have defaults of their own for each stream.
constexpr OptionSpec kStreamRows[] = {
    {.key = "topic", .help = "Kafka topic the events carry", .pattern = kTopicPattern},
    {.key = "durability",
     .help = "\"sync\": each event is committed at once; \"group N\": within N ms; "
             "\"group N-M\": within M where that saves writes beyond the budget",
     .pattern = "sync|group [0-9]{1,7}(-[0-9]{1,7})?"},
    {.key = "when_full",
     .help = "what goes when the outbox is full",
     .choices = "conserve|oldest|refuse"},
    {.key = "max_age_s",
     .kind = kInteger,
     .default_json = "0",
     .min = 0,
     .max = 315360000,
     .unit = "s",
     .change = kLive,
     .help = "older undelivered events are dropped with a gap record; 0: never"},
};
constexpr OptionTable kStream = {"stream", kStreamRows};

constexpr OptionSpec kOutboxRows[] = {
    {.key = "max_bytes",
     .kind = kInteger,
     .default_json = "1073741824",
     .min = 1 << 20,
     .max = 1e12,
     .unit = "bytes",
     .help = "ceiling of the store on disk"},
    {.key = "keep_delivered_s",
     .kind = kInteger,
     .default_json = "604800",
     .min = 0,
     .max = 315360000,
     .unit = "s",
     .change = kLive,
     .help = "how long delivered events stay for a look back"},
    {.key = "hold_for_clock_s",
     .kind = kInteger,
     .default_json = "600",
     .min = 0,
     .max = 604800,
     .unit = "s",
     .change = kLive,
     .help = "how long events wait while the clock is unknown"},
    {.key = "write_budget_day_bytes",
     .kind = kInteger,
     .default_json = "0",
     .min = 0,
     .max = 1e12,
     .unit = "bytes",
     .help = "what the store may write in a day: beyond it groups that have a range (\"group "
             "1000-60000\") become longer; 0: no limit"},
};
constexpr OptionTable kOutbox = {"outbox", kOutboxRows};

// --- uplinks ---
constexpr OptionSpec kUplinkRows[] = {
    {.key = "streams",
     .kind = kTextList,
     .default_json = "[\"*\"]",
     .help = "what goes this way: names of streams, * and ? allowed",
     .pattern = "[a-z0-9_.*?-]{1,62}"},
    {.key = "order",
     .default_json = "\"oldest\"",
     .help = "which end of the backlog goes first",
     .choices = "oldest|newest"},
    {.key = "live_s",
     .kind = kInteger,
     .default_json = "120",
     .min = 1,
     .max = 86400,
     .unit = "s",
     .help = "events younger than this go before the backlog"},
    {.key = "backfill_min_share",
     .kind = kNumber,
     .default_json = "0.1",
     .min = 0.01,
     .max = 1,
     .help = "share of the sending that the backlog always has"},
    {.key = "budget_day_bytes",
     .kind = kInteger,
     .min = 10000,
     .max = 1e15,
     .unit = "bytes",
     .help = "most that is sent in a day; alarms pass"},
    {.key = "budget_month_bytes",
     .kind = kInteger,
     .min = 10000,
     .max = 1e15,
     .unit = "bytes",
     .help = "most that is sent in a month; alarms pass"},
    {.key = "batch_events",
     .kind = kInteger,
     .default_json = "100",
     .min = 1,
     .max = 10000,
     .help = "most events of one request; at most Flume's transactionCapacity"},
    {.key = "linger_ms",
     .kind = kInteger,
     .default_json = "1000",
     .min = 0,
     .max = 600000,
     .unit = "ms",
     .help = "how long a batch may wait to fill while a request is in flight"},
};

constexpr OptionSpec kNetworkRows[] = {
    {.key = "hold",
     .kind = kBoolean,
     .default_json = "true",
     .help = "what it has not delivered keeps its place in the outbox"},
    {.key = "timeout_ms",
     .kind = kInteger,
     .default_json = "30000",
     .min = 100,
     .max = 600000,
     .unit = "ms",
     .help = "no answer after this is a failure"},
    {.key = "user", .help = "name to log in with"},
    {.key = "password_file", .help = "file whose first line is the password", .is_path = true},
    {.key = "ca_file", .help = "certificates that are trusted (PEM)", .is_path = true},
    {.key = "cert_file", .help = "the node's own certificate (PEM)", .is_path = true},
    {.key = "key_file", .help = "the private key of cert_file (PEM)", .is_path = true},
};

constexpr OptionSpec kHttpRows[] = {
    {.key = "uplink", .required = true, .help = "the kind of uplink", .choices = "http"},
    {.key = "url", .required = true, .help = "http:// or https:// endpoint"},
    {.key = "format",
     .default_json = "\"flume\"",
     .help = "what is sent: Flume's JSON events",
     .choices = "flume"},
    {.key = "headers",
     .kind = OptionKind::value_map,
     .help = "further HTTP request headers",
     .pattern = "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}"},
    {.key = "proxy", .help = "http://, socks5:// or socks5h:// proxy"},
};

constexpr OptionSpec kMqttRows[] = {
    {.key = "uplink", .required = true, .help = "the kind of uplink", .choices = "mqtt"},
    {.key = "url", .required = true, .help = "mqtt:// or mqtts:// broker"},
    {.key = "payload",
     .default_json = "\"lines\"",
     .help = "one message holds a batch as JSON lines, or one event",
     .choices = "lines|event"},
    {.key = "max_message_bytes",
     .kind = kInteger,
     .default_json = "131072",
     .min = 1024,
     .max = 16777216,
     .unit = "bytes",
     .help = "most that one message holds; at most the broker's own limit"},
    {.key = "keepalive_s",
     .kind = kInteger,
     .default_json = "60",
     .min = 5,
     .max = 65535,
     .unit = "s",
     .help = "a silent broker is noticed after one and a half of these"},
    {.key = "no_subscriber",
     .default_json = "\"hold\"",
     .help = "nobody listens: hold the events, or let them pass as delivered",
     .choices = "hold|pass"},
};

constexpr OptionSpec kFileRows[] = {
    {.key = "uplink", .required = true, .help = "the kind of uplink", .choices = "file"},
    {.key = "directory",
     .required = true,
     .help = "one file of JSON lines per UTC hour goes here",
     .is_path = true},
    {.key = "hold",
     .kind = kBoolean,
     .default_json = "false",
     .help = "what it has not delivered keeps its place in the outbox"},
    {.key = "require_mount",
     .kind = kBoolean,
     .default_json = "false",
     .help = "write only while a file system of its own is mounted there"},
};

constexpr auto kHttpOwn = joined(kHttpRows, kNetworkRows);
constexpr auto kMqttOwn = joined(kMqttRows, kNetworkRows);

template <std::size_t A, std::size_t B>
consteval std::array<OptionSpec, A + B> with_common(const std::array<OptionSpec, A>& own,
                                                    const OptionSpec (&common)[B]) {
  std::array<OptionSpec, A + B> rows;
  for (std::size_t i = 0; i < A; ++i) rows[i] = own[i];
  for (std::size_t i = 0; i < B; ++i) rows[A + i] = common[i];
  return rows;
}

constexpr auto kHttpAll = with_common(kHttpOwn, kUplinkRows);
constexpr auto kMqttAll = with_common(kMqttOwn, kUplinkRows);
constexpr auto kFileAll = joined(kFileRows, kUplinkRows);

constexpr OptionTable kHttp = {"http", kHttpAll};
constexpr OptionTable kMqtt = {"mqtt", kMqttAll};
constexpr OptionTable kFile = {"file", kFileAll};
constexpr const OptionTable* kUplinkTables[] = {&kHttp, &kMqtt, &kFile};

// --- remote, local HTTP, simulation ---
constexpr OptionSpec kRemoteRows[] = {
    {.key = "uplink", .required = true, .help = "the mqtt uplink that carries remote control"},
    {.key = "confirm_s",
     .kind = kInteger,
     .default_json = "120",
     .min = 10,
     .max = 86400,
     .unit = "s",
     .help = "a new document must reach the server within this, or the node goes back"},
    {.key = "groups",
     .kind = kTextList,
     .default_json = "[]",
     .help = "whose documents this node takes too, in this order",
     .pattern = kNodePattern},
    {.key = "public_key_file",
     .help = "Ed25519 key (PEM) that must have signed each document",
     .is_path = true},
    {.key = "unsigned",
     .kind = kBoolean,
     .default_json = "false",
     .help = "take documents from anyone who may publish to the broker"},
    {.key = "sequence_floor",
     .kind = kInteger,
     .default_json = "0",
     .min = 0,
     .max = 9007199254740991.0,
     .help = "documents with a sequence up to this are ignored"},
    {.key = "commands",
     .kind = kTextList,
     .default_json = "[\"ping\",\"status\",\"diag\",\"selftest\",\"resend\",\"record\","
                     "\"loglevel\",\"restart\",\"rollback\"]",
     .help = "commands that are answered",
     .pattern = "ping|status|diag|selftest|resend|record|loglevel|restart|rollback"},
};
constexpr OptionTable kRemote = {"remote", kRemoteRows};

constexpr OptionSpec kLocalHttpRows[] = {
    {.key = "listen",
     .default_json = "\"127.0.0.1:9180\"",
     .help = "HOST:PORT of metrics, health and the local page"},
};
constexpr OptionTable kLocalHttp = {"local_http", kLocalHttpRows};

constexpr OptionSpec kSimulationRows[] = {
    {.key = "signals",
     .help = "recording that the loops see, repeated for ever; none: generated traffic",
     .is_path = true},
    {.key = "flow_veh_h",
     .kind = kNumber,
     .default_json = "900",
     .min = 0,
     .max = 3600,
     .unit = "veh/h",
     .help = "generated traffic of each lane"},
    {.key = "seed",
     .kind = kInteger,
     .default_json = "1",
     .min = 0,
     .max = 9007199254740992.0,
     .help = "of the generated traffic"},
    {.key = "rate",
     .kind = kNumber,
     .default_json = "1",
     .min = 0.01,
     .max = 10000,
     .help = "how much faster than the clock the node's time runs"},
};
constexpr OptionTable kSimulation = {"simulation", kSimulationRows};

constexpr OptionSpec kDocumentRows[] = {
    {.key = "node",
     .required = true,
     .help = "name of this node, unique in the fleet",
     .pattern = kNodePattern},
    {.key = "board",
     .required = true,
     .help = "folder under boards/ that describes the device",
     .pattern = "[a-z0-9][a-z0-9_-]{0,62}"},
    {.key = "timezone",
     .default_json = "\"UTC\"",
     .help = "civil days follow this zone; events stay UTC",
     .pattern = "[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}"},
    {.key = "site",
     .kind = OptionKind::object,
     .default_json = "{}",
     .help = "where the node stands",
     .table = &kSite},
    {.key = "buses",
     .kind = OptionKind::object_map,
     .default_json = "{}",
     .help = "serial lines, by name",
     .pattern = kNamePattern,
     .table = &kBus},
    {.key = "signals",
     .kind = OptionKind::object_map,
     .default_json = "{}",
     .help = "wires, by the name the drivers use",
     .pattern = kNamePattern,
     .table = &kSignal},
    {.key = "drivers", .kind = OptionKind::any, .required = true, .help = "sensors, by name"},
    {.key = "streams",
     .kind = OptionKind::object_map,
     .default_json = "{}",
     .help = "policies that differ from a stream's own, by stream",
     .table = &kStream},
    {.key = "outbox",
     .kind = OptionKind::object,
     .default_json = "{}",
     .help = "the store that all events pass through",
     .table = &kOutbox},
    {.key = "uplinks", .kind = OptionKind::any, .default_json = "{}", .help = "ways out, by name"},
    {.key = "remote",
     .kind = OptionKind::object,
     .help = "configuration over MQTT; left out: none",
     .table = &kRemote},
    {.key = "local_http",
     .kind = OptionKind::object,
     .help = "metrics, health and local page; left out: none",
     .table = &kLocalHttp},
    {.key = "allowed_topics",
     .kind = kTextList,
     .help = "topics that may be named here or remotely; left out: any",
     .pattern = kTopicPattern},
    {.key = "simulation",
     .kind = OptionKind::object,
     .help = "what the loops of board sim see",
     .table = &kSimulation},
};
constexpr OptionTable kDocument = {"berm", kDocumentRows};

}  // namespace

const OptionTable& document_table() {
  return kDocument;
}

std::span<const OptionTable* const> uplink_tables() {
  return kUplinkTables;
}

}  // namespace berm::control
