-- SPDX-License-Identifier: Apache-2.0
-- As seek_segment, made before ?3.
SELECT place, ordinal, first_seq, count, version, boot, made_last, made_s, vehicles, anchor,
  raw_bytes, codec
FROM segment WHERE place >= ?1 AND place <= ?2 AND made_s < ?3 ORDER BY place LIMIT 1
