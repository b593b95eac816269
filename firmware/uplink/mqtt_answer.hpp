// SPDX-License-Identifier: Apache-2.0
// What an MQTT v5 reason code means for what was published [uplink-2, 3] and for a connection.
//   PUBACK  0             delivered
//           16            nobody is subscribed: held (failed), or delivered where `no_subscriber:
//           pass` other < 128   delivered (the specification has no other) 144 149 153   refused,
//           may be set aside (topic name, packet too large, payload format) 135           failed,
//           not authorized 128 131 151   and all others: failed
//   CONNACK 133 134 135 138 140: not authorized; others: try again later
//   DISCONNECT 142        the broker gave the session to another client of the same name: long wait
//           149           a packet was too large
// Source: MQTT 5.0, tables 2-6, 3-1, 3-4; mosquitto 2.0 (measured: research, feasibility §4). Pure.
#pragma once

#include <string>

#include "firmware/uplink/uplink.hpp"

namespace berm::uplink {

inline constexpr int kRefusedFrom = 128;  // reasons from here on are refusals

// "135 not authorized"
std::string name_of_reason(int reason);
Answer read_puback(int reason, bool pass_without_subscriber);
Loss read_connack(int reason);
Loss read_disconnect(const Error& error, int reason);

}  // namespace berm::uplink
