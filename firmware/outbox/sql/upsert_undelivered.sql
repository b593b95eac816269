-- SPDX-License-Identifier: Apache-2.0
INSERT INTO undelivered (uplink, series, ranges, resend) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (uplink, series) DO UPDATE SET ranges = excluded.ranges, resend = excluded.resend
