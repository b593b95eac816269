-- SPDX-License-Identifier: Apache-2.0
INSERT INTO segment (place, ordinal, first_seq, count, version, boot, mono_first, mono_last,
  made_first, made_last, made_s, vehicles, anchor, raw_bytes, codec, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
