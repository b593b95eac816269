-- SPDX-License-Identifier: Apache-2.0
-- As seek_segment, of the codecs ?3 <= codec < ?4: of one level of merging.
SELECT place, ordinal, first_seq, count, version, boot, made_last, made_s, vehicles, anchor,
  raw_bytes, codec
FROM segment WHERE place >= ?1 AND place <= ?2 AND codec % 128 >= ?3 AND codec % 128 < ?4
ORDER BY place LIMIT 1
