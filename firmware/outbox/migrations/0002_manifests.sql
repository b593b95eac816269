-- SPDX-License-Identifier: Apache-2.0
-- Schema version 2: manifests, and events offered again because somebody asked for them.
-- What the rows do not tell of the events beyond `manifested`: sums of those delivered and gone,
-- ranges closed by a gap record (ManifestDebt).
ALTER TABLE series ADD COLUMN debt TEXT NOT NULL DEFAULT '';
-- Of the undelivered ones: those the receiver was offered before.
ALTER TABLE undelivered ADD COLUMN resend TEXT NOT NULL DEFAULT '';
-- What went before cannot be summed any more: manifests begin with what comes now. A place is
-- series << 40 | last sequence.
UPDATE series SET manifested = max(next_seq - 1, coalesce((SELECT max(place) - (series.id << 40)
  FROM segment WHERE place > (series.id << 40) AND place < ((series.id + 1) << 40)), 0));
