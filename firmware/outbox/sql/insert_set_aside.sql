-- SPDX-License-Identifier: Apache-2.0
INSERT INTO set_aside (uplink, series, seq, ordinal, version, boot, made_s, vehicles, reason, line,
  raw_bytes, codec, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
