-- SPDX-License-Identifier: Apache-2.0
SELECT uplink, series, seq, ordinal, version, boot, made_s, vehicles, raw_bytes, codec, body
FROM set_aside WHERE number = ?1
