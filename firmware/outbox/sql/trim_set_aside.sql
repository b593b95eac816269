-- SPDX-License-Identifier: Apache-2.0
-- Drops the oldest so that ?1 remain.
DELETE FROM set_aside WHERE number <= (SELECT number FROM set_aside ORDER BY number DESC LIMIT 1
  OFFSET ?1)
