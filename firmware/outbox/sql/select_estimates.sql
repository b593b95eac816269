-- SPDX-License-Identifier: Apache-2.0
SELECT id, mono, wall, source, boot FROM anchor
WHERE boot = ?1 AND source = 0 AND corrected_by IS NULL
