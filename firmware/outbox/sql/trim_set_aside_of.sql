-- SPDX-License-Identifier: Apache-2.0
-- Drops the oldest ?2 of a series.
DELETE FROM set_aside WHERE number IN
  (SELECT number FROM set_aside WHERE series = ?1 ORDER BY number LIMIT ?2)
