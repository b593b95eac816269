-- SPDX-License-Identifier: Apache-2.0
SELECT id FROM uplink WHERE name = ?1
