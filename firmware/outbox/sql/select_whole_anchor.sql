-- SPDX-License-Identifier: Apache-2.0
SELECT id, mono, wall, source, boot, corrected_by FROM anchor WHERE id = ?1
