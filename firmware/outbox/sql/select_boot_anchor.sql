-- SPDX-License-Identifier: Apache-2.0
-- The one to use for that boot: known before estimated, newest first.
SELECT id, mono, wall, source, boot FROM anchor WHERE boot = ?1 ORDER BY source = 0, id DESC LIMIT 1
