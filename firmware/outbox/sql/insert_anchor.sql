-- SPDX-License-Identifier: Apache-2.0
INSERT INTO anchor (boot, mono, wall, source) VALUES (?1, ?2, ?3, ?4) RETURNING id
