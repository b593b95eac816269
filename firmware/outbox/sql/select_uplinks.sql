-- SPDX-License-Identifier: Apache-2.0
SELECT id, name FROM uplink ORDER BY id
