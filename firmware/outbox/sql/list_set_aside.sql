-- SPDX-License-Identifier: Apache-2.0
SELECT number, uplink, series, seq, reason, line FROM set_aside WHERE number >= ?1 ORDER BY number
LIMIT ?2
