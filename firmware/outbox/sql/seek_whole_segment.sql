-- SPDX-License-Identifier: Apache-2.0
-- As seek_segment, with all that is stored of it.
SELECT place, ordinal, first_seq, count, version, boot, made_last, made_s, vehicles, anchor,
  raw_bytes, codec, mono_first, mono_last, made_first, body
FROM segment WHERE place >= ?1 AND place <= ?2 ORDER BY place LIMIT 1
