-- SPDX-License-Identifier: Apache-2.0
INSERT INTO boot (boot) VALUES (?1) RETURNING id
