-- SPDX-License-Identifier: Apache-2.0
-- The outbox, schema version 1. Times in µs unless the name says otherwise.
-- Small facts: node, machine_id, directory, epoch (id of the present one).
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE epoch (
  id INTEGER PRIMARY KEY,
  epoch TEXT NOT NULL UNIQUE,
  node TEXT NOT NULL,      -- its name in that epoch: part of the events' ids
  reason TEXT NOT NULL);

-- One stream in one epoch: what a sequence belongs to.
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  stream TEXT NOT NULL,
  next_seq INTEGER NOT NULL,       -- at least; the newest segment may say more
  gone INTEGER NOT NULL,           -- events below next_seq that are no longer here
  offered_below INTEGER NOT NULL,  -- events below this may have been offered: never merge them
  manifested INTEGER NOT NULL,     -- covered by a manifest up to here
  UNIQUE (epoch, stream));

CREATE TABLE boot (id INTEGER PRIMARY KEY, boot TEXT NOT NULL UNIQUE);

-- At `mono` of that boot it was `wall`. source 0: a best estimate, replaced by `corrected_by`.
CREATE TABLE anchor (
  id INTEGER PRIMARY KEY,
  boot INTEGER NOT NULL REFERENCES boot(id),
  mono INTEGER NOT NULL,
  wall INTEGER NOT NULL,
  source INTEGER NOT NULL,
  corrected_by INTEGER);

-- The events of one commit and stream. `place` is series << 40 | last sequence: one tree holds
-- every series in order, and no index is written beside it.
CREATE TABLE segment (
  place INTEGER PRIMARY KEY,
  ordinal INTEGER NOT NULL,     -- order of commit over all series
  first_seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  version INTEGER NOT NULL,     -- of the stream's schema
  boot INTEGER NOT NULL,
  mono_first INTEGER NOT NULL,
  mono_last INTEGER NOT NULL,
  made_first INTEGER NOT NULL,  -- monotonic
  made_last INTEGER NOT NULL,
  made_s INTEGER,               -- wall time of the newest, s; null while it is not settled
  vehicles INTEGER,             -- sum of the lane periods' counts; null: none in it
  anchor INTEGER,               -- 0: every event has its own time; null: not settled yet
  raw_bytes INTEGER NOT NULL,
  codec INTEGER NOT NULL,       -- of the body, + 16 × level of merging, + 128: merged
  body BLOB NOT NULL);
CREATE INDEX segment_unsettled ON segment(boot) WHERE anchor IS NULL;

CREATE TABLE uplink (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- What this uplink has not had yet: "12-15 20-".
CREATE TABLE undelivered (
  uplink INTEGER NOT NULL REFERENCES uplink(id),
  series INTEGER NOT NULL REFERENCES series(id),
  ranges TEXT NOT NULL,
  PRIMARY KEY (uplink, series)) WITHOUT ROWID;

-- Events an uplink's receiver refused. `body` is the event as a segment of one, its time settled.
CREATE TABLE set_aside (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  uplink TEXT NOT NULL,    -- by name: it outlives the uplink
  series INTEGER NOT NULL REFERENCES series(id),
  seq INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  version INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  made_s INTEGER,
  vehicles INTEGER,
  reason TEXT NOT NULL,
  line TEXT NOT NULL,
  raw_bytes INTEGER NOT NULL,
  codec INTEGER NOT NULL,
  body BLOB NOT NULL);

CREATE TABLE checkpoint (key TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
