-- SPDX-License-Identifier: Apache-2.0
SELECT number, uplink, series, seq, reason, line FROM set_aside ORDER BY number LIMIT ?1
