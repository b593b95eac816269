-- SPDX-License-Identifier: Apache-2.0
SELECT id FROM anchor WHERE boot = ?1 AND mono = ?2 AND wall = ?3 AND source = ?4
ORDER BY id LIMIT 1
